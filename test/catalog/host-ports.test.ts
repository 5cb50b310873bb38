// Which ports of its node a pod claims.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContainerPortRecord } from '../../src/model/kubernetes/records.ts';
import { Harness } from './harness.ts';
import { container, pod } from './records.ts';

function port(containerPort: number, some: Partial<ContainerPortRecord> = {}): ContainerPortRecord {
  return { name: '', containerPort, hostPort: 0, hostIp: '', protocol: 'TCP', ...some };
}

async function claimed(record: ReturnType<typeof pod>): Promise<string[]> {
  const harness = await Harness.open(record);
  return harness
    .pod(record.name)
    .hostPorts.map(
      (each) => `${each.port}/${each.protocol}${each.hostAddress === undefined ? '' : ` ${each.hostAddress}`}`,
    );
}

describe('a pod', () => {
  it('claims the host ports of its containers and sidecars, not of init containers, which are gone by then (KEP-753)', async () => {
    const record = pod('p', {
      containers: [
        container('envoy', { type: 'sidecar', ports: [port(15_090, { hostPort: 15_090 })] }),
        container('app', {
          ports: [port(80, { hostPort: 8_080 }), port(53, { hostPort: 53, protocol: 'UDP' }), port(9)],
        }),
      ],
      otherContainers: [container('setup', { type: 'init', ports: [port(81, { hostPort: 8_081 })] })],
    });
    assert.deepEqual(await claimed(record), ['15090/TCP', '8080/TCP', '53/UDP']);
  });

  it('in its node’s network claims every port that it declares, its sidecars’ too', async () => {
    const record = pod('p', {
      hostNetwork: true,
      containers: [
        container('exporter', { type: 'sidecar', ports: [port(9_100)] }),
        container('app', { ports: [port(2_379, { hostPort: 2_379 }), port(132, { protocol: 'SCTP' })] }),
      ],
    });
    assert.deepEqual(await claimed(record), ['9100/TCP', '2379/TCP', '132/SCTP']);
  });

  // https://github.com/kubernetes/kubernetes/issues/73702; the portmap plugin takes an unspecified address for all.
  it('claims a host port at the one address that it is bound to, however that is written, and at every address of the node where it names none', async () => {
    const bound = ['10.0.0.1', '010.0.0.001', '::ffff:10.0.0.1', 'FD00::1', '127.0.0.1', '0.0.0.0', '::', ''];
    const ports = bound.map((hostIp, i) => port(80, { hostPort: 7_000 + i, hostIp }));
    assert.deepEqual(await claimed(pod('p', { containers: [container('app', { ports })] })), [
      '7000/TCP 10.0.0.1',
      '7001/TCP 10.0.0.1',
      '7002/TCP 10.0.0.1',
      '7003/TCP fd00::1',
      '7004/TCP 127.0.0.1',
      '7005/TCP',
      '7006/TCP',
      '7007/TCP',
    ]);
  });
});
