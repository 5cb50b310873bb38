// What a change costs, in counted steps: for each kind of change n and 4 n objects around it, as
// docs/cost-of-a-change.md states it. Nothing here measures time.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_LISTED_ENDPOINTS } from '../../src/model/entities.ts';
import type { KubernetesRecord, OwnerRecord } from '../../src/model/kubernetes/records.ts';
import { countsOf, decode, Harness, scrapedCounts } from './harness.ts';
import { controlledBy, namespace, node, owner, pod, service, slice } from './records.ts';

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const address = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
const podAt = (at: number) => pod(`p${at}`, { podIps: [address(at)] });

/** Steps of one change in a cluster of `records`. */
async function stepsOf(records: readonly KubernetesRecord[], change: (harness: Harness) => void): Promise<number> {
  const harness = await Harness.open(...records);
  const before = harness.catalog.steps;
  change(harness);
  await harness.catalog.settled();
  const after = harness.catalog.steps;
  return after.joins - before.joins + (after.links - before.links) + (after.memberships - before.memberships);
}

/** Clusters of n and 4 n objects in which one change costs the same. */
const CONSTANT: Record<string, (n: number) => Promise<number>> = {
  'a service beside n services over the same pods': (n) => {
    const pods = many(4, podAt);
    const around = many(n, (at) => [service(`s${at}`), slice(`e${at}`, `s${at}`, pods)]).flat();
    return stepsOf([...pods, ...around, slice('one', 'one', pods)], (harness) => harness.put(service('one')));
  },
  'a slice beside n slices over the same pods': (n) => {
    const pods = many(4, podAt);
    const around = many(n, (at) => [service(`s${at}`), slice(`e${at}`, `s${at}`, pods)]).flat();
    return stepsOf([...pods, ...around, service('one')], (harness) => harness.put(slice('one', 'one', pods)));
  },
  'a pod beside n pods of its owner and its service': (n) => {
    const set = owner('ReplicaSet', 'rs');
    const pods = many(n + 1, (at) => ({ ...podAt(at), controller: controlledBy(set) }));
    const slices = many(Math.ceil(pods.length / 100), (at) =>
      slice(`e${at}`, 's', pods.slice(at * 100, at * 100 + 100)),
    );
    const one = pods.at(-1) ?? assert.fail();
    return stepsOf([set, service('s'), ...slices, ...pods.slice(0, -1)], (harness) => harness.put(one));
  },
  'a bare pod beside n bare pods of its service': (n) => {
    const pods = many(n + 1, podAt);
    const one = pods.at(-1) ?? assert.fail();
    return stepsOf([service('s'), slice('e', 's', pods), ...pods], (harness) => harness.remove(one));
  },
  'a node beside n nodes, pods and endpoints': (n) => {
    const nodes = many(n, (at) =>
      node(`n${at}`, { addresses: [{ type: 'InternalIP', address: address(0x800000 + at) }] }),
    );
    const endpoints = many(n, (at) => ({ addresses: [address(0x800000 + at)] }));
    const around = [service('s'), slice('e', 's', endpoints), ...nodes.slice(1), ...many(n, podAt)];
    return stepsOf(around, (harness) => harness.put(nodes[0] ?? assert.fail()));
  },
  'an owner at the top of a chain of n owners': (n) => {
    const chain = chainOf(n);
    return stepsOf(chain, (harness) => harness.remove(chain[0] ?? assert.fail()));
  },
  'a child without pods beside n children of an owner that is retained': async (n) => {
    const top = owner('Deployment', 'top');
    const child = (name: string) => owner('ReplicaSet', name, { controller: controlledBy(top) });
    const [keeper, one] = [child('keeper'), child('one')];
    const records = [
      top,
      keeper,
      one,
      ...many(n, (at) => child(`c${at}`)),
      pod('p', { controller: controlledBy(keeper) }),
    ];
    const harness = await Harness.open(...records);
    harness.remove(top);
    const before = harness.catalog.steps;
    harness.remove(one);
    return harness.catalog.steps.links - before.links;
  },
  'a namespace with one of each beside n others': (n) => {
    const namespaces = many(n, (at) => inNamespace(`ns${at}`, address(at))).flat();
    return stepsOf(namespaces, (harness) => harness.put(...inNamespace('one', address(n))));
  },
  'a namespace that gets a label beside n namespaces, and n pods of its own': (n) => {
    const around = many(n, (at) => [namespace(`ns${at}`), podAt(at)]).flat();
    return stepsOf([namespace('shop'), ...around], (harness) =>
      harness.put(namespace('shop', { labels: { tier: 'front' } })),
    );
  },
  'a service that goes beside n services over the same pods': (n) => {
    const pods = many(4, podAt);
    const around = many(n, (at) => [service(`s${at}`), slice(`e${at}`, `s${at}`, pods)]).flat();
    return stepsOf([...pods, ...around, service('one'), slice('one', 'one', pods)], (harness) =>
      harness.remove(service('one')),
    );
  },
  'a slice that goes beside n slices of its service': (n) => {
    const pods = many(n + 4, podAt);
    const around = many(n, (at) => slice(`e${at}`, 's', [pods[at] ?? assert.fail()]));
    const one = slice('one', 's', pods.slice(n));
    return stepsOf([service('s'), ...pods, ...around, one], (harness) => harness.remove(one));
  },
  'a pod that goes beside n pods of its node, its owner and its service': (n) => {
    const set = owner('ReplicaSet', 'rs');
    const pods = many(n, (at) => ({ ...podAt(at), nodeName: 'n', controller: controlledBy(set) }));
    const records = [set, node('n'), service('s'), slice('e', 's', pods), ...pods];
    return stepsOf(records, (harness) => harness.remove(pods[0] ?? assert.fail()));
  },
  'a pod that gets ready beside n pods of its node, its owner and its service': (n) => {
    const set = owner('ReplicaSet', 'rs');
    const pods = many(n, (at) => ({ ...podAt(at), nodeName: 'n', controller: controlledBy(set) }));
    const records = [set, node('n'), service('s'), slice('e', 's', pods), ...pods];
    return stepsOf(records, (harness) => harness.put({ ...(pods[0] ?? assert.fail()), labels: { ready: 'yes' } }));
  },
  'a node that goes beside n nodes, with n pods that stay': (n) => {
    const nodes = many(n, (at) => node(`n${at}`));
    const pods = many(n, (at) => ({ ...podAt(at), nodeName: 'n0' }));
    return stepsOf([...nodes, ...pods], (harness) => harness.remove(nodes[0] ?? assert.fail()));
  },
  'an owner without pods that goes beside n owners of the same owner': (n) => {
    const top = owner('Deployment', 'top');
    const sets = many(n, (at) => owner('ReplicaSet', `rs${at}`, { controller: controlledBy(top) }));
    return stepsOf([top, ...sets], (harness) => harness.remove(sets[0] ?? assert.fail()));
  },
};

/** Clusters in which a change costs what hangs on the object. */
const LINEAR: Record<string, (n: number) => Promise<number>> = {
  'an owner that is seen at last, of n pods': (n) => {
    const set = owner('ReplicaSet', 'rs');
    return stepsOf(
      many(n, (at) => ({ ...podAt(at), controller: controlledBy(set) })),
      (harness) => harness.put(set),
    );
  },
  'a slice of n endpoints': (n) =>
    stepsOf([service('s'), ...many(n, podAt)], (harness) => harness.put(slice('e', 's', many(n, podAt)))),
  'a service of n pods': (n) =>
    stepsOf([slice('e', 's', many(n, podAt)), ...many(n, podAt)], (harness) => harness.put(service('s'))),
  'a slice of n endpoints that goes': (n) => {
    const one = slice('e', 's', many(n, podAt));
    return stepsOf([service('s'), ...many(n, podAt), one], (harness) => harness.remove(one));
  },
  'a service of n pods that goes': (n) =>
    stepsOf([service('s'), slice('e', 's', many(n, podAt)), ...many(n, podAt)], (harness) =>
      harness.remove(service('s')),
    ),
  'an owner of n pods that goes': (n) => {
    const set = owner('ReplicaSet', 'rs');
    const pods = many(n, (at) => ({ ...podAt(at), controller: controlledBy(set) }));
    return stepsOf([set, ...pods], (harness) => harness.remove(set));
  },
  'a node of n pods that comes to another zone': (n) => {
    const pods = many(n, (at) => ({ ...podAt(at), nodeName: 'n' }));
    const zone = { 'topology.kubernetes.io/zone': 'z' };
    return stepsOf([node('n'), ...pods], (harness) => harness.put(node('n', { labels: zone })));
  },
  'a pod in n services that goes': (n) => {
    const around = many(n, (at) => [service(`s${at}`), slice(`e${at}`, `s${at}`, [podAt(0)])]).flat();
    return stepsOf([podAt(0), ...around], (harness) => harness.remove(podAt(0)));
  },
  'a pod in n services': (n) => {
    const around = many(n, (at) => [service(`s${at}`), slice(`e${at}`, `s${at}`, [podAt(0)])]).flat();
    return stepsOf(around, (harness) => harness.put(podAt(0)));
  },
};

describe('the cost of one change', () => {
  for (const [change, measure] of Object.entries(CONSTANT)) {
    it(`14.8: does not depend on what is around it: ${change}`, async () => {
      const [few, many4] = [await measure(100), await measure(400)];
      assert.ok(few > 0 && many4 <= few, `${few} steps among 100, ${many4} among 400`);
    });
  }
  for (const [change, measure] of Object.entries(LINEAR)) {
    it(`14.8: grows with what hangs on it and no faster: ${change}`, async () => {
      const [few, many4] = [await measure(100), await measure(400)];
      assert.ok(many4 <= 4 * few + 10, `${few} steps for 100, ${many4} for 400`);
    });
  }
});

describe('a scrape', () => {
  it('14.8: reads counts that were kept as entities were told, and walks none of them', async () => {
    const set = owner('ReplicaSet', 'rs');
    const pods = many(130, (at) => ({ ...podAt(at), controller: controlledBy(set) }));
    const lists = many(120, (at) => [service(`s${at}`), slice(`e${at}`, `s${at}`, pods.slice(0, 3))]).flat();
    const harness = await Harness.open(set, node('n'), ...pods, ...lists);
    const entities = harness.catalog.entities.bind(harness.catalog);
    harness.catalog.entities = () => assert.fail('a scrape walks the entities');
    const scraped = async () => {
      const cut = /^digger_catalog_cut_entities (\d+)$/m.exec(await harness.registry.metrics())?.[1];
      return { told: await scrapedCounts(harness), cut: Number(cut) };
    };
    const counted = () => countsOf(entities());
    assert.deepEqual(await scraped(), { told: counted(), cut: 3 });
    harness.remove(pods[0] ?? assert.fail(), pods[129] ?? assert.fail(), service('s7'), set);
    harness.put(pod('late'));
    await harness.catalog.settled();
    assert.deepEqual(await scraped(), { told: counted(), cut: 2 });
    harness.remove(...many(30, (at) => slice(`e${at}`, `s${at}`, [])));
    await harness.catalog.settled();
    assert.deepEqual(await scraped(), { told: counted(), cut: 0 });
  });
});

describe('services over the same pods', () => {
  it('14.8: share what they add to the pods: one more costs a list of all of them, not one for each pod', async () => {
    const pods = many(50, podAt);
    for (const services of [100, 400]) {
      const around = many(services, (at) => [service(`s${at}`), slice(`e${at}`, `s${at}`, pods)]).flat();
      const harness = await Harness.open(...pods, ...around, service('one'));
      const copied = (change: () => void): number => {
        const before = harness.catalog.steps.copies;
        change();
        return harness.catalog.steps.copies - before;
      };
      const come = copied(() => harness.put(slice('e', 'one', pods)));
      const go = copied(() => harness.remove(slice('e', 'one', pods)));
      assert.ok(come >= services && come <= 2 * (services + 1), `${come} references copied for one of ${services}`);
      assert.ok(go <= 2 * (services + 1), `${go} references copied for one of ${services} that goes`);
    }
  });
});

describe('a change that touches more than a turn may take', () => {
  it('14.8: is told in slices, the last of which finishes it, and what is written meanwhile does not wait', async () => {
    const set = owner('ReplicaSet', 'rs');
    const harness = await Harness.open(...many(3_000, (at) => ({ ...podAt(at), controller: controlledBy(set) })));
    harness.put(set);
    const [first] = harness.batches;
    assert.ok(first !== undefined && first.unfinished === true && first.changes.length < 1_000);
    harness.put(pod('meanwhile'));
    assert.equal(harness.pod('meanwhile').name, 'meanwhile');
    harness.remove(podAt(2_999));
    harness.put({ ...set, labels: { tier: 'front' } });
    await harness.catalog.settled();
    assert.equal(harness.pod('p2998').workload.incomplete, false);
    const owners = harness.batches.filter(({ position }) => position.resource === 'deployments.apps');
    assert.deepEqual(
      [owners.at(-1)?.unfinished, owners.filter(({ unfinished }) => unfinished !== true).length],
      [undefined, 1],
    );
    for (const { changes } of harness.batches) assert.ok(changes.length <= 1_024);
    assert.equal(harness.byKey.size, 3_001, '2,999 of the pods, the one that came meanwhile, and the owner');
  });

  it('14.8: a slice of thousands is taken in parts, and what it says meanwhile counts', async () => {
    const listed = many(4_000, (at) => ({ addresses: [address(0x900000 + at)] }));
    const harness = await Harness.open(service('s'));
    harness.put(slice('e', 's', listed));
    assert.ok(harness.service('s').manualEndpoints.length <= 128, 'the rest follows');
    // Another state of it, and its removal and another slice, before the first one was taken as a whole.
    harness.put(slice('e', 's', listed.slice(0, 3_000)));
    harness.remove(slice('e', 's', []));
    harness.put(slice('f', 's', listed.slice(1_000, 2_500)));
    await harness.catalog.settled();
    assert.deepEqual(
      harness.service('s').manualEndpoints,
      listed
        .slice(1_000, 2_500)
        .flatMap(({ addresses }) => addresses)
        .sort(),
    );
    assert.equal(harness.batches.at(-1)?.unfinished, undefined);
    expectSteps(harness);
  });

  it('14.8: a service of thousands of endpoints gives them back before it goes, and another takes its name', async () => {
    const listed = many(10, (at) =>
      slice(
        `e${at}`,
        's',
        many(1_000, (of) => ({ addresses: [address(0x900000 + at * 1_000 + of)] })),
      ),
    );
    const harness = await Harness.open(service('s'), ...listed);
    harness.remove(service('s'));
    assert.equal(harness.service('s'), harness.copy.get('uid-service-s'), 'readers see what is told');
    harness.put(service('s', { uid: 'uid-again' }));
    assert.equal(harness.service('s').uid, 'uid-service-s');
    await harness.catalog.settled();
    assert.equal(harness.service('s').uid, 'uid-again');
    assert.equal(harness.service('s').manualEndpoints.length, 10_000);
    assert.equal(harness.copy.has('uid-service-s'), false);
    harness.remove(...listed, service('s', { uid: 'uid-again' }));
    await harness.catalog.settled();
    assert.equal(harness.catalog.service('shop', 's'), undefined);
    assert.equal(harness.copy.size, 0);
    assert.equal(harness.batches.at(-1)?.unfinished, undefined);
    expectSteps(harness);
  });

  it('14.8: members of a service are told in slices when it goes', async () => {
    const harness = await Harness.open(service('s'), slice('e', 's', many(3_000, podAt)), ...many(3_000, podAt));
    harness.remove(service('s'));
    assert.ok((harness.batches[0]?.changes.length ?? 0) <= 128);
    await harness.catalog.settled();
    for (const { changes } of harness.batches) assert.ok(changes.length <= 128);
    assert.equal(decode(harness.pod('p2999'))['services'], undefined);
  });

  it('14.8: tells of an owner that is not there under a name together with what is held of it, however few fit into a slice', async () => {
    const harness = new Harness({ sliceSize: 1, isWatchedKind: (_, kind) => kind !== 'Installation' });
    const of = owner('Installation', 'calico', { apiVersion: 'operator.tigera.io/v1' });
    harness.put({ ...podAt(0), controller: controlledBy(of) });
    await harness.catalog.open();
    harness.batches.length = 0;
    harness.put({ ...podAt(1), controller: controlledBy(of) });
    await harness.catalog.settled();
    const told = harness.batches.map(({ touched = [] }) => touched.filter(({ uid }) => uid === of.uid));
    const absent = told.flat().filter((each) => !('own' in each));
    assert.ok(absent.length > 0);
    for (const touched of told) {
      for (const [at, each] of touched.entries()) {
        if ('own' in each) continue;
        assert.equal(touched[at + 1], harness.copy.get(of.uid), 'in one batch, behind it');
      }
    }
  });

  it('14.3: does not run out of stack when the first of 12,000 owners is deleted, and applies all of it', async () => {
    const chain = chainOf(12_000);
    const harness = await Harness.open(...chain, pod('p', { controller: controlledBy(chain.at(-1) ?? assert.fail()) }));
    const first = chain[0] ?? assert.fail();
    harness.remove(first);
    assert.equal(harness.catalog.workload('apps', 'ReplicaSet', 'shop', first.name), undefined);
    assert.equal(harness.pod('p').ownerChain.length, 10);
    for (const each of chain.slice(1)) harness.remove(each);
    assert.match(await harness.registry.metrics(), /digger_catalog_retained_owners 10\n/);
    harness.remove(pod('p'));
    assert.match(await harness.registry.metrics(), /digger_catalog_retained_owners 0\n/);
    assert.equal(harness.byKey.size, 0);
  });
});

describe('what other objects add to an entity', () => {
  it('14.7: is listed up to a bound, sorted, with the count: manual endpoints of a service', async () => {
    const addresses = many(80_000, (at) => address(0x900000 + at));
    const slices = many(80, (at) =>
      slice(
        `e${at}`,
        's',
        addresses.slice(at * 1_000, at * 1_000 + 1_000).map((one) => ({ addresses: [one] })),
      ),
    );
    const harness = await Harness.open(service('s'), ...slices);
    const message = decode(harness.service('s')) as {
      manualEndpoints: { address: string }[];
      manualEndpointCount: number;
    };
    assert.equal(message.manualEndpointCount, 80_000);
    assert.deepEqual(
      message.manualEndpoints.map((each) => each.address),
      [...addresses].sort().slice(0, MAX_LISTED_ENDPOINTS),
    );
    assert.equal(harness.service('s').manualEndpoints.length, 10_000);
    assert.match(await harness.registry.metrics(), /digger_catalog_cut_entities 1\n/);
  });

  it('14.7: is listed up to a bound, sorted, with the count: services of a pod, workloads of a service', async () => {
    const names = many(300, (at) => `s${String(at).padStart(3, '0')}`);
    const bare = many(300, (at) => pod(`b${String(at).padStart(3, '0')}`, { podIps: [address(at)] }));
    const lists = names.map((name) => slice(`e-${name}`, name, [bare[0] ?? assert.fail()]));
    const harness = await Harness.open(
      ...names.map((name) => service(name)),
      ...lists,
      ...bare,
      slice('all', 's150', bare),
    );
    const message = decode(harness.pod('b000')) as { services: { name: string }[]; serviceCount: number };
    assert.deepEqual([message.services.map(({ name }) => name), message.serviceCount], [names.slice(0, 100), 300]);
    const behind = decode(harness.service('s150')) as { workloads: { name: string }[]; workloadCount: number };
    assert.deepEqual(
      [behind.workloads.map(({ name }) => name), behind.workloadCount],
      [bare.slice(0, 100).map(({ name }) => name), 300],
    );
    harness.remove(service(names[5] ?? ''));
    const less = decode(harness.pod('b000')) as { services: { name: string }[]; serviceCount: number };
    assert.deepEqual([less.services.at(-1)?.name, less.serviceCount], ['s100', 299]);
  });
});

/** No batch brings or takes more addresses of endpoints than a turn may. */
function expectSteps({ batches }: Harness): void {
  for (const { changes } of batches) {
    let addresses = 0;
    for (const { before, after } of changes) {
      if ((before ?? after)?.kind !== 'Service') continue;
      const [old, now] = [before, after].map((each) => new Set(each?.kind === 'Service' ? each.manualEndpoints : []));
      addresses += [...(old ?? [])].filter((each) => now?.has(each) !== true).length;
      addresses += [...(now ?? [])].filter((each) => old?.has(each) !== true).length;
    }
    assert.ok(addresses <= 128, `${addresses} addresses in a batch`);
  }
}

/** The first at the top; each is owned by the one before. */
function chainOf(length: number): OwnerRecord[] {
  const chain = [owner('ReplicaSet', 'r0')];
  for (let at = 1; at < length; at += 1) {
    chain.push(owner('ReplicaSet', `r${at}`, { controller: controlledBy(chain.at(-1) ?? assert.fail()) }));
  }
  return chain;
}

/** The same names in every namespace. */
function inNamespace(namespace: string, ip: string): KubernetesRecord[] {
  const set = owner('ReplicaSet', 'rs', { namespace, uid: `${namespace}-rs` });
  const web = pod('web', { namespace, uid: `${namespace}-web`, controller: controlledBy(set), podIps: [ip] });
  return [
    set,
    web,
    service('s', { namespace, uid: `${namespace}-s` }),
    { ...slice('e', 's', [web]), namespace, uid: `${namespace}-e` },
  ];
}
