// What we tell people to deploy with is well formed by the schemas of those who read it, and means what it says: the settings in it make a
// configuration, names and addresses fit together, and who stops a node waits longer than the node takes.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DCLinter } from 'dclint';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { NodeConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { temporaryDir } from '../support/processes.ts';

const requireHere = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** What the image sets. */
function imageEnvironment(): Record<string, string> {
  const block = /^ENV (.*)/m.exec(read('Dockerfile').replaceAll('\\\n', ' '))?.[1] ?? '';
  return Object.fromEntries([...block.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
}

const milliseconds = (text: string): number => Number(text.replace(/s$/, '')) * 1_000;

describe('docker-compose.yml', () => {
  interface Service {
    environment: Record<string, string>;
    stop_grace_period?: string;
    hostname?: string;
    ports?: string[];
    volumes?: string[];
    command?: string[];
    depends_on?: Record<string, { condition: string }>;
  }
  // Checked against the schema by the first test.
  const compose = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, Service>;
    volumes: Record<string, unknown>;
  };
  const service = (name: string): Service => compose.services[name] as Service;
  const nodes = ['node-1', 'node-2', 'node-3'];

  function errorsIn(text: string): string[] {
    const file = join(temporaryDir(), 'docker-compose.yml');
    writeFileSync(file, text);
    const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
    // The package's own types of this do not resolve.
    const results: { messages: { type: string; message: string }[] }[] = linter.lintFiles([file], false);
    expect(results).toHaveLength(1);
    return results.flatMap(({ messages }) =>
      messages.filter(({ type }) => type === 'error').map(({ message }) => message),
    );
  }

  it('is one by the Compose Specification', () => {
    const text = read('docker-compose.yml');
    expect(errorsIn(text)).toEqual([]);
    // The validator sees through anchors, and what it says nothing of is not simply unknown to it.
    expect(errorsIn(text.replace('cap_drop:', 'cap_dorp:'))).not.toEqual([]);
    expect(errorsIn(text.replace('condition: service_healthy', 'condition: service_fine'))).not.toEqual([]);
  });

  it('has Redis, three nodes, a worker and the demo, with volumes that exist', () => {
    expect(Object.keys(compose.services)).toEqual(['redis', ...nodes, 'worker', 'demo']);
    const used = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes.map((one) => one.split(':')[0]));
    expect(used.sort()).toEqual(Object.keys(compose.volumes).sort());
  });

  it.each(nodes)('gives %s settings that make a node of the cluster', (name) => {
    const { environment, stop_grace_period = '', hostname } = service(name);
    const config = loadConfig(undefined, { ...imageEnvironment(), ...defaults(environment) });
    expect(config.cluster).toMatchObject({
      id: 'compose',
      name,
      firstMembers: 3,
      replicas: 3,
      gossip: { ip: '0.0.0.0', advertise: { host: name, port: 7946 } },
      link: { ip: '0.0.0.0', advertise: { host: name, port: 7281 } },
    });
    expect(config.listen).toEqual({ ip: '0.0.0.0', port: 7280, advertise: { host: name, port: 7280 } });
    expect(hostname).toBe(name);
    expect(milliseconds(stop_grace_period)).toBeGreaterThan(config.shutdownGraceMs);
    expect(config.dataDirectory).toBe('/var/lib/tenuto/data');
    // What the command inside the container sends is what the node asks for.
    expect(config.cluster?.adminTokens).toEqual([defaults(environment).TENUTO_TOKEN]);
  });

  it('puts the nodes in zones, volumes and ports of their own, open to this machine only', () => {
    const distinct = (of: (one: Service) => unknown): number => new Set(nodes.map((name) => of(service(name)))).size;
    expect(distinct(({ environment }) => environment.TENUTO_ZONE)).toBe(3);
    expect(distinct(({ volumes }) => volumes?.[0])).toBe(3);
    expect(distinct(({ ports }) => ports?.[0])).toBe(3);
    for (const name of nodes) expect(service(name).ports?.[0]).toMatch(/^127\.0\.0\.1:\d+:7280$/);
  });

  it('tells worker and demo of all nodes, and of each other', () => {
    const addresses = nodes.map((name) => `${name}:7280`).join(',');
    expect(service('worker').environment).toEqual({
      TENUTO_ADDRESS: addresses,
      PAYMENT_URL: 'http://demo:8081',
      WAREHOUSE_URL: 'http://demo:8082',
    });
    expect(service('demo').command).toEqual(
      expect.arrayContaining([`--address=${addresses}`, '--services=0.0.0.0:8081', '--no-worker']),
    );
    for (const name of ['worker', 'demo']) expect(Object.keys(service(name).depends_on ?? {})).toEqual(nodes);
  });

  /** `${NAME:-default}` as Compose reads it with nothing set. */
  function defaults(environment: Record<string, string>): Record<string, string> {
    const fill = (value: string): string => value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
    return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, fill(value)]));
  }
});

describe('deploy/kubernetes', () => {
  const folder = 'deploy/kubernetes';
  const files = readdirSync(join(ROOT, folder));
  const documents = files.flatMap((file) =>
    parseAllDocuments(read(join(folder, file))).map((document) => {
      expect(document.errors).toEqual([]);
      // Checked against its type by the compiler, below.
      return document.toJS() as { apiVersion: string; kind: string; metadata: { name: string } };
    }),
  );
  const named = <T>(kind: string): T => documents.find((document) => document.kind === kind) as T;

  /** The compiler against the API's types: unlike its JSON schemas these know what is too much. */
  function compile(what: readonly { apiVersion: string; kind: string }[]): string {
    const project = temporaryDir();
    symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
    const lines = what.map((document, index) => {
      const module = `kubernetes-models/${document.apiVersion}`;
      const type = `I${document.kind}`;
      return `import type { ${type} as T${index} } from '${module}/${document.kind}';\nexport const d${index}: T${index} = ${JSON.stringify(document)};\n`;
    });
    writeFileSync(join(project, 'manifests.ts'), lines.join('\n'));
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', ''];
    return spawnSync(process.execPath, [tsc, ...options, 'manifests.ts'], { cwd: project, encoding: 'utf8' }).stdout;
  }

  it('holds what Kubernetes knows, and nothing it does not', { timeout: 60_000 }, () => {
    expect(documents.map(({ kind }) => kind).sort()).toEqual([
      'ConfigMap',
      'PodDisruptionBudget',
      'Service',
      'Service',
      'StatefulSet',
    ]);
    expect(compile(documents)).toBe('');
    const misspelt = documents.map(
      (document) =>
        JSON.parse(JSON.stringify(document).replace('"readinessProbe"', '"readynessProbe"')) as typeof document,
    );
    expect(compile(misspelt)).toMatch(/readynessProbe.* does not exist in type 'IContainer'/);
  });

  it('is valid by the schemas of its API', () => {
    for (const document of documents) {
      // One class per kind, whose `validate` runs the API's schema.
      const module: Record<string, new (data: unknown) => { validate(): void }> = requireHere(
        `kubernetes-models/${document.apiVersion}/${document.kind}`,
      );
      const Model = module[document.kind];
      expect(Model, document.kind).toBeDefined();
      if (Model === undefined) continue;
      expect(() => new Model(document).validate()).not.toThrow();
      expect(() => new Model({ ...document, metadata: 7 }).validate()).toThrow();
    }
  });

  interface Pods {
    spec: {
      serviceName: string;
      replicas: number;
      podManagementPolicy: string;
      selector: { matchLabels: object };
      template: {
        metadata: { labels: object };
        spec: {
          terminationGracePeriodSeconds: number;
          containers: {
            args: string[];
            env: { name: string; value?: string; valueFrom?: { fieldRef: { fieldPath: string } } }[];
            ports: { name: string; containerPort: number; protocol?: string }[];
            volumeMounts: { name: string; mountPath: string }[];
            startupProbe: { httpGet: object; periodSeconds: number; failureThreshold: number };
            livenessProbe: { httpGet: object };
          }[];
        };
      };
      volumeClaimTemplates: { metadata: { name: string } }[];
    };
  }
  const pods = named<Pods>('StatefulSet').spec;
  const container = pods.template.spec.containers[0] as Pods['spec']['template']['spec']['containers'][0];

  /** The configuration of pod 1, as Kubernetes would hand it over. */
  function configured(): NodeConfig {
    const fields: Record<string, string> = {
      'metadata.namespace': 'shop',
      'metadata.name': 'tenuto-1',
      'status.podIP': '10.1.2.3',
      "metadata.labels['topology.kubernetes.io/zone']": 'eu-1b',
    };
    const environment: Record<string, string> = { ...imageEnvironment() };
    // The Secret of the example.
    environment.TENUTO_CLUSTER_KEYS = Buffer.alloc(32, 1).toString('base64');
    environment.TENUTO_ADMIN_TOKENS = 'an-operators-token';
    environment.TENUTO_NAMESPACE_TOKENS = 'default=a-clients-token';
    for (const { name, value, valueFrom } of container.env) {
      const path = valueFrom?.fieldRef.fieldPath;
      if (path !== undefined) expect(fields, path).toHaveProperty([path]);
      const text = path === undefined ? (value ?? '') : (fields[path] ?? '');
      // Only what was defined above can be used.
      environment[name] = text.replaceAll(/\$\((\w+)\)/g, (whole, used: string) => environment[used] ?? whole);
    }
    const file = join(temporaryDir(), 'tenuto.yaml');
    writeFileSync(file, named<{ data: Record<string, string> }>('ConfigMap').data['tenuto.yaml'] ?? '');
    return loadConfig(file, environment);
  }

  it('gives a pod settings that make a node of the cluster', () => {
    const config = configured();
    expect(config.cluster).toMatchObject({
      name: 'tenuto-1',
      zone: 'eu-1b',
      firstMembers: pods.replicas,
      gossip: { ip: '0.0.0.0', advertise: { host: '10.1.2.3', port: 7946 } },
      link: { ip: '0.0.0.0', advertise: { host: '10.1.2.3', port: 7281 } },
      adminTokens: ['an-operators-token'],
    });
    expect(config.listen).toEqual({
      ip: '0.0.0.0',
      port: 7280,
      advertise: { host: 'tenuto-1.tenuto-nodes.shop.svc', port: 7280 },
    });
    expect(config.allowedHosts).toContain('tenuto.shop.svc');
    expect(config.namespaces).toMatchObject([{ name: 'default', tokens: ['a-clients-token'] }]);
    expect(container.args).toEqual(['server', 'start', '--config', '/etc/tenuto/tenuto.yaml']);
    expect(container.volumeMounts).toContainEqual({ name: 'config', mountPath: '/etc/tenuto', readOnly: true });
  });

  it('keeps data on a volume that outlives the pod', () => {
    const mount = container.volumeMounts.find(({ name }) => name === pods.volumeClaimTemplates[0]?.metadata.name);
    expect(configured().dataDirectory?.startsWith(`${mount?.mountPath}/`)).toBe(true);
  });

  it('stops a pod later than the node stops itself, and starts all of a new cluster at once', () => {
    expect(pods.template.spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(configured().shutdownGraceMs);
    expect(pods.podManagementPolicy).toBe('Parallel');
  });

  it('lets pods find each other by names that stay', () => {
    const { metadata } = named<{ metadata: { name: string } }>('StatefulSet');
    const { seeds, firstMembers } = configured().cluster ?? expect.fail('it is no node of a cluster');
    expect(seeds).toEqual(
      Array.from({ length: firstMembers }, (_, i) => ({
        host: `${metadata.name}-${i}.${pods.serviceName}`,
        port: 7946,
      })),
    );
  });

  it('kills no pod that waits for Redis, or reads much data, before it listens', () => {
    const { startupProbe, livenessProbe } = container;
    expect(startupProbe.httpGet).toEqual(livenessProbe.httpGet);
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThanOrEqual(3_600);
  });

  it('has selectors and ports that meet', () => {
    const { labels } = pods.template.metadata;
    expect(pods.selector.matchLabels).toEqual(labels);
    const services = documents.filter(({ kind }) => kind === 'Service') as unknown as {
      metadata: { name: string };
      spec: { selector: object; ports: { port: number; targetPort: string; protocol?: string }[] };
    }[];
    expect(services.map(({ metadata }) => metadata.name)).toContain(pods.serviceName);
    for (const { spec } of services) {
      expect(spec.selector).toEqual(labels);
      for (const { port, targetPort, protocol } of spec.ports) {
        expect(container.ports.find(({ name }) => name === targetPort)).toEqual({
          name: targetPort,
          containerPort: port,
          ...(protocol && { protocol }),
        });
      }
    }
    const budget = named<{ spec: { selector: { matchLabels: object }; maxUnavailable: number } }>(
      'PodDisruptionBudget',
    );
    expect(budget.spec).toEqual({ maxUnavailable: 1, selector: { matchLabels: labels } });
  });
});

describe('deploy/systemd/tenuto.service', () => {
  const unit = 'deploy/systemd/tenuto.service';
  const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(read(unit))?.[1] ?? '';
  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

  it('stops later than a node with the longest grace that the page advises', () => {
    expect(milliseconds(setting('TimeoutStopSec'))).toBeGreaterThan(30_000);
    expect(setting('KillSignal')).toBe('SIGTERM');
    expect(setting('RestartPreventExitStatus')).toBe('2');
  });

  it.runIf(hasSystemd)('is one by systemd, and lets the node do little', () => {
    const folder = temporaryDir();
    const command = join(folder, 'tenuto');
    writeFileSync(command, '#!/bin/sh\n', { mode: 0o755 });
    mkdirSync(join(folder, 'units'));
    const file = join(folder, 'units', 'tenuto.service');
    writeFileSync(file, read(unit).replace('/usr/local/bin/tenuto', command));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
    expect(verified.stderr.split('\n').filter((line) => line.includes('tenuto.service'))).toEqual([]);
    copyFileSync(join(ROOT, unit), file);
    const security = execFileSync('systemd-analyze', ['security', '--offline=true', file], { encoding: 'utf8' });
    expect(Number(/Overall exposure level[^:]*: ([\d.]+)/.exec(security)?.[1])).toBeLessThan(2.5);
  });
});
