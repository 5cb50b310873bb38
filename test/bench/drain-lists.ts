// The floor of a first sync: reads the same lists from the API server as fast as bytes come, and keeps nothing.
//
// `node drain-lists.ts KUBECONFIG` prints one line of JSON: `{"bytes", "ms"}`, ms from the start of the process. A
// process of its own, so that it is measured like the one that it is compared with: Node's start included.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** Owners are read as metadata only. */
const METADATA = `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`;

const LISTS: readonly (readonly [path: string, accept: string])[] = [
  ['/api/v1/pods', PROTOBUF],
  ['/api/v1/services', PROTOBUF],
  ['/api/v1/nodes', PROTOBUF],
  ['/apis/discovery.k8s.io/v1/endpointslices', PROTOBUF],
  ['/api/v1/replicationcontrollers', METADATA],
  ['/apis/apps/v1/deployments', METADATA],
  ['/apis/apps/v1/replicasets', METADATA],
  ['/apis/apps/v1/statefulsets', METADATA],
  ['/apis/apps/v1/daemonsets', METADATA],
  ['/apis/batch/v1/jobs', METADATA],
  ['/apis/batch/v1/cronjobs', METADATA],
];

const [kubeconfig] = process.argv.slice(2);
if (kubeconfig === undefined) throw new Error('usage: node drain-lists.ts KUBECONFIG');
const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
  users: [{ user: { tokenFile: string } }];
};
const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster;
const token = readFileSync(config.users[0].user.tokenFile, 'utf8').trim();
const agent = new Agent({ connect: { ca: Buffer.from(ca, 'base64').toString() } });

let bytes = 0;
await Promise.all(
  LISTS.map(async ([path, accept]) => {
    const answer = await request(`${server}${path}?resourceVersion=0&limit=500`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}`, accept, 'user-agent': 'digger-bench' },
    });
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${await answer.body.text()}`);
    for await (const chunk of answer.body) bytes += (chunk as Buffer).length;
  }),
);
// `performance.now` counts from the start of the process.
process.stdout.write(`${JSON.stringify({ bytes, ms: Math.round(performance.now()) })}\n`);
await agent.close();
