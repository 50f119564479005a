// Which process of this machine listens at an address (Linux; elsewhere nobody is known): so that a server that somebody else started is watched, too.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';

const LISTENING = '0A';
const ANY = new Set(['0.0.0.0', '::']);

interface Listener {
  readonly host: string;
  readonly inode: string;
}

/** @param address `host:port` or `[::1]:port`. Undefined: it is another machine's, nobody's, or of a process that is not ours to look at */
export function listenerAt(address: string): number | undefined {
  const colon = address.lastIndexOf(':');
  const hosts = hostsHere(address.slice(0, colon));
  const port = Number(address.slice(colon + 1));
  const all = [...listeners('/proc/net/tcp', port), ...listeners('/proc/net/tcp6', port)];
  // Who listens at just this address is asked, where another one listens at all.
  const found = all.find(({ host }) => hosts.has(host)) ?? all.find(({ host }) => hosts.size > 0 && ANY.has(host));
  return found === undefined ? undefined : holderOf(found.inode);
}

/** What the name may stand for here; empty for that of another machine. */
function hostsHere(name: string): ReadonlySet<string> {
  const host = canonical(name);
  if (host === 'localhost' || host === hostname().toLowerCase()) return new Set(['127.0.0.1', '::1']);
  const own = Object.values(networkInterfaces()).flatMap(
    (each) => each?.map(({ address }) => canonical(address)) ?? [],
  );
  return new Set(host.startsWith('127.') || own.includes(host) ? [host] : []);
}

/** IPv6 without brackets, in its shortest form. */
function canonical(host: string): string {
  const bare = host.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (!bare.includes(':')) return bare.toLowerCase();
  return URL.canParse(`http://[${bare}]`) ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare;
}

function listeners(file: string, port: number): Listener[] {
  const lines = (textOf(file) ?? '').split('\n').slice(1);
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const [address = '', ownPort = ''] = local.split(':');
    if (state !== LISTENING || inode === undefined || Number.parseInt(ownPort, 16) !== port) return [];
    return [{ host: hostOf(address), inode }];
  });
}

/** The kernel writes words of 32 bits in the machine's order, which is little-endian wherever this runs. */
function hostOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  if (bytes.length === 4) return bytes.join('.');
  return canonical(Buffer.from(bytes).toString('hex').match(/.{4}/g)?.join(':') ?? '');
}

/** Of processes that share it the one that started the others. */
function holderOf(inode: string): number | undefined {
  const holders = new Set(pids().filter((pid) => holds(pid, inode)));
  return [...holders].find((pid) => !holders.has(parentOf(pid)));
}

function pids(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function holds(pid: number, inode: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => linkOf(`${folder}/${fd}`) === `socket:[${inode}]`);
  } catch {
    // Gone, or somebody else's.
    return false;
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(textOf(`/proc/${pid}/status`) ?? '')?.[1] ?? 0);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
