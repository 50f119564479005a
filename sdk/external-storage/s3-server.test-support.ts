// A bucket behind S3's REST protocol, as far as the driver uses it: path-style objects, ListObjectsV2, DeleteObjects. Every request must be signed as
// the documentation of Signature Version 4 has it (canonical request, string to sign, key derived by date, region and service), its body must have
// the hash and the checksum that it says: what the client of @aws-sdk/client-s3 sends is checked here, not taken.

import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';

export const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
export const REGION = 'eu-central-1';
/** Objects to a page of a list. */
const PAGE = 2;

interface Answer {
  status: number;
  body?: Uint8Array | string;
}

class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export class S3Server {
  readonly objects = new Map<string, { bytes: Uint8Array; at: Date }>();
  /** Codes of what was refused. */
  readonly refused: string[] = [];
  readonly #server: Server;
  readonly #bucket: string;

  constructor(bucket: string) {
    this.#bucket = bucket;
    this.#server = createServer((request, response) => {
      void this.#handle(request).then(({ status, body = '' }) => response.writeHead(status).end(body));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', 'http://s3');
    try {
      checkSignature(request, url, body);
      checkBody(request, body);
      return this.#answer(request.method ?? '', url, body);
    } catch (error) {
      const { status, code, message } =
        error instanceof Refused ? error : new Refused(500, 'InternalError', String(error));
      this.refused.push(code);
      return { status, body: `<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>` };
    }
  }

  #answer(method: string, url: URL, body: Buffer): Answer {
    const [, bucket = '', ...rest] = url.pathname.split('/');
    if (bucket !== this.#bucket) throw new Refused(404, 'NoSuchBucket', 'The specified bucket does not exist');
    const key = rest.map(decodeURIComponent).join('/');
    if (method === 'PUT' && key !== '') {
      this.objects.set(key, { bytes: body, at: new Date(1_000) });
      return { status: 200 };
    }
    if (method === 'GET' && key !== '') {
      const found = this.objects.get(key);
      if (found === undefined) throw new Refused(404, 'NoSuchKey', 'The specified key does not exist.');
      return { status: 200, body: found.bytes };
    }
    if (method === 'GET' && url.searchParams.get('list-type') === '2') return this.#list(url.searchParams);
    if (method === 'POST' && url.searchParams.has('delete')) return this.#delete(body.toString());
    throw new Refused(501, 'NotImplemented', `${method} ${url.pathname}${url.search}`);
  }

  #list(query: URLSearchParams): Answer {
    const after = query.get('continuation-token') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '') && key > after);
    const page = keys.sort().slice(0, PAGE);
    const contents = page.map((key) => {
      const { bytes, at } = this.objects.get(key) ?? { bytes: '', at: new Date(0) };
      return `<Contents><Key>${escaped(key)}</Key><LastModified>${at.toISOString()}</LastModified><Size>${bytes.length}</Size></Contents>`;
    });
    const more =
      keys.length > PAGE ? `<NextContinuationToken>${escaped(page.at(-1) ?? '')}</NextContinuationToken>` : '';
    const truncated = `<IsTruncated>${keys.length > PAGE}</IsTruncated>`;
    return { status: 200, body: `<ListBucketResult>${contents.join('')}${truncated}${more}</ListBucketResult>` };
  }

  #delete(xml: string): Answer {
    for (const [, key = ''] of xml.matchAll(/<Key>(.*?)<\/Key>/gs)) this.objects.delete(unescaped(key));
    return { status: 200, body: '<DeleteResult></DeleteResult>' };
  }
}

const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const header = (request: IncomingMessage, name: string): string => String(request.headers[name] ?? '');

/** The steps of docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. */
function checkSignature(request: IncomingMessage, url: URL, body: Buffer): void {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      header(request, 'authorization'),
    );
  if (parts === null) throw new Refused(403, 'AccessDenied', 'No signature of version 4');
  const [, accessKeyId, day = '', region = '', signedHeaders = '', signature] = parts;
  if (accessKeyId !== CREDENTIALS.accessKeyId) throw new Refused(403, 'InvalidAccessKeyId', 'No such key');
  if (region !== REGION) throw new Refused(400, 'AuthorizationHeaderMalformed', `The region is ${REGION}`);
  const signed = signedHeaders.split(';');
  const mustBeSigned = Object.keys(request.headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
  if (!mustBeSigned.every((name) => signed.includes(name))) throw new Refused(403, 'AccessDenied', 'Not all is signed');
  const query = [...url.searchParams]
    .map(([name, value]) => `${uriEncoded(name)}=${uriEncoded(value)}`)
    .sort()
    .join('&');
  const canonical = [
    request.method,
    url.pathname,
    query,
    ...signed.map((name) => `${name}:${header(request, name).trim().replaceAll(/ +/g, ' ')}`),
    '',
    signedHeaders,
    header(request, 'x-amz-content-sha256'),
  ].join('\n');
  const time = header(request, 'x-amz-date');
  const toSign = ['AWS4-HMAC-SHA256', time, `${day}/${region}/s3/aws4_request`, sha256(canonical)].join('\n');
  const key = hmac(hmac(hmac(hmac(`AWS4${CREDENTIALS.secretAccessKey}`, day), region), 's3'), 'aws4_request');
  if (!time.startsWith(day) || hmac(key, toSign).toString('hex') !== signature) {
    throw new Refused(403, 'SignatureDoesNotMatch', 'The signature is not that of this request');
  }
  if (header(request, 'x-amz-content-sha256') !== sha256(body)) {
    throw new Refused(400, 'XAmzContentSHA256Mismatch', 'The body is not what was signed');
  }
}

function checkBody(request: IncomingMessage, body: Buffer): void {
  const said = request.headers['x-amz-checksum-crc32'];
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  if (said !== undefined && said !== sum.toString('base64'))
    throw new Refused(400, 'BadDigest', 'The checksum is wrong');
}

/** As the documentation's UriEncode: everything but unreserved characters. */
const uriEncoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const unescaped = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');
