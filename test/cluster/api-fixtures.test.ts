// The objects that Kubernetes itself tests its encodings with decode to the same record from protobuf and from JSON.
//
// k8s.io/api keeps one object of every kind with every field set, as each of the last minor versions wrote it. They
// come from the Go module that control-plane/ pins, so this needs Go or its module cache and fails without; it needs no
// control plane. Here and not with the fast tests, which need nothing but Node.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { kubernetesType } from '../../src/kube/decoding/kubernetes-schema.ts';
import type { Encoding } from '../../src/kube/decoding/list-body.ts';
import {
  endpointsDecoder,
  endpointSliceDecoder,
  nodeDecoder,
  podDecoder,
  type RecordDecoder,
  serviceCidrDecoder,
  serviceDecoder,
} from '../../src/kube/decoding/record-decoder.ts';
import { createWatchBody } from '../../src/kube/decoding/watch-body.ts';
import type { KubernetesRecord } from '../../src/model/kubernetes/records.ts';

const MODULE = fileURLToPath(new URL('./control-plane/', import.meta.url));

type Kind = {
  /** Of the files: `core.v1.Pod`. */
  readonly file: string;
  readonly decoder: RecordDecoder<KubernetesRecord>;
  /**
   * Fields of the record that no field of the fixture gives: they need a certain condition type, label, annotation or
   * mode of an address, an image id with a digest in it, or a container that is another than the one before.
   */
  readonly empty: readonly string[];
};

const KINDS: readonly Kind[] = [
  {
    file: 'core.v1.Pod',
    decoder: podDecoder,
    empty: [
      'sandboxReadyTimeMs',
      'containers.0.previousContainerId',
      'containers.0.imageDigest',
      'otherContainers.0.previousContainerId',
      'otherContainers.0.imageDigest',
      'otherContainers.1.previousContainerId',
      'otherContainers.1.imageDigest',
      'networks',
    ],
  },
  { file: 'core.v1.Service', decoder: serviceDecoder, empty: ['proxiedIps'] },
  { file: 'core.v1.Node', decoder: nodeDecoder, empty: [] },
  { file: 'discovery.k8s.io.v1.EndpointSlice', decoder: endpointSliceDecoder, empty: ['serviceName'] },
  { file: 'core.v1.Endpoints', decoder: endpointsDecoder, empty: [] },
  { file: 'networking.k8s.io.v1.ServiceCIDR', decoder: serviceCidrDecoder, empty: [] },
];

describe('the fixtures of the API itself', () => {
  let testdata = '';
  let versions: readonly string[] = [];

  before(() => {
    testdata = join(moduleDirectory('k8s.io/api'), 'testdata');
    versions = readdirSync(testdata).filter((name) => name === 'HEAD' || /^v\d/.test(name));
    assert.ok(versions.length >= 3, `versions in ${testdata}: ${versions.join(', ')}`);
  });

  for (const { file, decoder, empty } of KINDS) {
    it(`${file}: every version of it says the same in protobuf and in JSON`, (t) => {
      let compared = 0;
      for (const version of versions) {
        for (const name of [file, `${file}.after_roundtrip`]) {
          const path = join(testdata, version, name);
          if (!existsSync(`${path}.pb`)) continue;
          const json = decode('json', decoder, readFileSync(`${path}.json`));
          const protobuf = decode('protobuf', decoder, readFileSync(`${path}.pb`));
          assert.deepEqual(protobuf, json, `${version}/${name}`);
          assert.deepEqual(emptyFields(json.record), empty, `${version}/${name}: everything is set there`);
          compared += 1;
        }
      }
      // Kinds come with a version; none has gone yet.
      assert.ok(compared >= 3, `${compared} files`);
      t.diagnostic(`${compared} files of ${versions.join(', ')}`);
    });
  }
});

/** Where the Go module is that control-plane/ pins; downloads it where it is not. */
function moduleDirectory(module: string): string {
  const { status, stdout, stderr, error } = spawnSync('go', ['mod', 'download', '-json', module], {
    cwd: MODULE,
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new Error(`the fixtures need Go and its module ${module}: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
  }
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}

/** As the server would send it in a watch. */
function decode<R extends KubernetesRecord>(encoding: Encoding, decoder: RecordDecoder<R>, object: Buffer) {
  const frame = encoding === 'json' ? jsonFrame(object) : protobufFrame(object);
  const body = createWatchBody(encoding, decoder);
  const [event, ...more] = body.push(frame);
  body.end();
  assert.ok(event?.type === 'ADDED' && more.length === 0);
  return { record: event.record, resourceVersion: event.resourceVersion };
}

function jsonFrame(object: Buffer): Buffer {
  return Buffer.from(`${JSON.stringify({ type: 'ADDED', object: JSON.parse(object.toString('utf8')) })}\n`);
}

function protobufFrame(object: Buffer): Buffer {
  const event = kubernetesType('WatchEvent')
    .encode({ type: 'ADDED', object: { raw: object } })
    .finish();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}

/** Paths of what is undefined, '', 0 or without entries. */
function emptyFields(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null)
    return value === undefined || value === '' || value === 0 ? [path] : [];
  const entries = Object.entries(value);
  if (entries.length === 0) return [path];
  return entries.flatMap(([key, entry]) => emptyFields(entry, path === '' ? key : `${path}.${key}`));
}
