// `digger resolve` and `digger watch` against a digger that serves: what they print, and what they end with.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { ask } from '../../../src/cli/ask/ask.ts';
import { parseCommandLine } from '../../../src/cli/line/command-line.ts';
import type { DiggerProcess } from '../../observers/digger-process.ts';
import { done, eventually, notYet } from '../../observers/eventually.ts';
import { ROOT } from '../../project/repository.ts';
import { Story } from '../../stories/story.ts';

/** What a command wrote, and how it ended. */
interface Asked {
  readonly code: Promise<number>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Ends a watch. */
  end(): void;
}

function askWith(isTTY: boolean, ...args: string[]): Asked {
  return askFrom(Readable.from([]), isTTY, ...args);
}

/** `stdin`: what `resolve -` reads. */
function askFrom(stdin: Readable, isTTY: boolean, ...args: string[]): Asked {
  const line = parseCommandLine(args, '1.2.3', Date.now());
  assert.ok(line?.action === 'ask', JSON.stringify(line));
  const texts = { stdout: '', stderr: '' };
  const output = (stream: 'stdout' | 'stderr') => ({
    isTTY,
    write: (text: string) => {
      texts[stream] += text;
      return true;
    },
  });
  const ending = new AbortController();
  const edge = { stdin, stdout: output('stdout'), stderr: output('stderr'), env: { NO_COLOR: '1' } };
  const code = ask(line.order, { ...edge, signal: ending.signal });
  return { code, stdout: () => texts.stdout, stderr: () => texts.stderr, end: () => ending.abort() };
}

describe('a person who asks a service that answers', () => {
  let story: Story;
  let digger: DiggerProcess;
  let at: readonly string[];
  before(async () => {
    story = await Story.begin();
    // Custom kinds too: until they are listed answers may be marked stale.
    digger = await story.startReadyDigger();
    at = ['--address', digger.address];
  });
  after(() => story?.end());

  it('sees on a terminal who holds an address', async () => {
    const { statefulPod } = story.demo.wellKnown;
    const asked = askWith(true, 'resolve', statefulPod.ip, ...at);
    assert.equal(await asked.code, 0, asked.stderr());
    const rows = Object.fromEntries(
      asked
        .stdout()
        .trimEnd()
        .split('\n')
        .map((row) => row.split(/ {2,}/)),
    ) as Record<string, string>;
    assert.equal(rows['OUTCOME'], 'RESOLVED');
    assert.equal(rows['TARGET'], `Pod ${statefulPod.namespace}/${statefulPod.name}`);
    assert.equal(rows['WORKLOAD'], 'StatefulSet shop/cart-redis');
    assert.equal(rows['ROLE'], 'POD_IP');
    assert.match(rows['HELD'] ?? '', /^\d{4}-.*Z – now$/);
    assert.equal(asked.stderr(), '');
  });

  it('15.2: sees who held an address through its whole history, newest first', async () => {
    story.createPod('came-and-went', 241);
    await askWith(false, 'resolve', '10.244.1.241', '--wait', '30s', ...at).code;
    const { statefulPod } = story.demo.wellKnown;
    const asked = askWith(true, 'history', '10.244.1.241', ...at);
    assert.equal(await asked.code, 0, asked.stderr());
    assert.match(asked.stdout(), /^ +FROM +TO +HOLDER +ROLE +WORKLOAD$/m);
    assert.match(asked.stdout(), /^● +\d{4}-\S+Z +now +Pod \S+\/came-and-went( \?)? +POD_IP +Pod /m);
    assert.match(asked.stdout(), /^Nothing is known of before \d{4}-\S+Z\.$/m);
    const json = askWith(false, 'history', statefulPod.ip, ...at);
    assert.equal(await json.code, 0, json.stderr());
    assert.match(json.stdout(), /^\{"address":"[^"]+","intervals":\[\{"from":"[^"]+","outcome":"OUTCOME_RESOLVED"/);
    const nothing = askWith(false, 'history', '10.244.1.242', ...at);
    assert.equal(await nothing.code, 1);
  });

  it('sees who else may be meant by the address of a node', async () => {
    const asked = askWith(true, 'resolve', story.demo.wellKnown.nodeIp, ...at);
    assert.equal(await asked.code, 0, asked.stderr());
    assert.match(asked.stdout(), /^TARGET +Node worker-1$/m);
    assert.match(asked.stdout(), /^Pod kube-system\/kube-proxy-\S+ +HOST_NETWORK +DaemonSet kube-system\/kube-proxy /m);
  });

  it('gets one line of JSON elsewhere, in the form that protobuf prescribes', async () => {
    const asked = askWith(false, 'resolve', `${story.demo.wellKnown.frontendClusterIp}:80`, '--protocol=tcp', ...at);
    assert.equal(await asked.code, 0, asked.stderr());
    assert.match(asked.stdout(), /^\{.*\}\n$/);
    const resolution = JSON.parse(asked.stdout()) as Record<string, Record<string, unknown>>;
    assert.equal(resolution['outcome'], 'OUTCOME_RESOLVED');
    assert.equal(resolution['service']?.['name'], 'frontend');
    assert.deepEqual(resolution['service']?.['clusterAddresses'], [story.demo.wellKnown.frontendClusterIp]);
    assert.match(String(resolution['validFrom']), /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/);
    assert.equal(resolution['staleness'], undefined);
  });

  it('ends with 1 when no object holds the address, and waits for a holder if told to', async () => {
    const asked = askWith(false, 'resolve', '192.0.2.1', ...at);
    assert.equal(await asked.code, 1, asked.stderr());
    assert.equal((JSON.parse(asked.stdout()) as Record<string, unknown>)['outcome'], 'OUTCOME_EXTERNAL');
    const waiting = askWith(false, 'resolve', '10.244.1.240', '--wait', '30s', ...at);
    story.createPod('awaited', 240);
    assert.equal(await waiting.code, 0, waiting.stderr());
    assert.match(waiting.stdout(), /"name":"awaited"/);
  });

  it('ends with 2 when the service refuses the question, and says why', async () => {
    const asked = askWith(false, 'resolve', '10.0.0.1', '--at', '2999-01-01T00:00:00Z', ...at);
    assert.equal(await asked.code, 2);
    assert.match(asked.stderr(), /answered INVALID_ARGUMENT: at: 2999-01-01T00:00:00.000Z is more than 5 s ahead/);
    assert.equal(asked.stdout(), '');
  });

  it('pipes addresses in and gets an answer a line, in their order, errors in their places', async () => {
    const { statefulPod, frontendClusterIp } = story.demo.wellKnown;
    const stdin = new PassThrough();
    const asked = askFrom(stdin, false, 'resolve', '-', ...at);
    stdin.write(`${statefulPod.ip}\n`);
    // The first answer comes while the input goes on.
    await eventually('answered', () => (asked.stdout() === '' ? notYet(asked.stderr()) : done(undefined)));
    stdin.end(`192.0.2.1:443 30s\n\nweb\n${frontendClusterIp}:80 2999-01-01T00:00:00Z\n${frontendClusterIp}:80`);
    assert.equal(await asked.code, 2, 'a line could not be asked about');
    const answers = asked
      .stdout()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, never>);
    assert.deepEqual(
      answers.map(
        ({ outcome, error }) => outcome ?? String((error as unknown as { message: string }).message).slice(0, 21),
      ),
      ['OUTCOME_RESOLVED', 'OUTCOME_UNKNOWN', 'address: got "web"; a', 'at: 2999-01-01T00:00:', 'OUTCOME_RESOLVED'],
    );
  });

  it('gets the answers of the service from a replica in its own process, and an error in the place of a bad line', async () => {
    const { statefulPod, frontendClusterIp } = story.demo.wellKnown;
    const lines = `${statefulPod.ip}\n${frontendClusterIp}:80\n192.0.2.1 2s\nweb\n${statefulPod.ip}:70000\n`;
    const [asked, copied] = [[], ['--replica']].map((more) =>
      askFrom(Readable.from([lines]), false, 'resolve', '-', ...more, ...at),
    );
    assert.ok(asked && copied);
    assert.deepEqual([await asked.code, await copied.code], [2, 2], copied.stderr());
    const answersOf = (text: string): unknown[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
    assert.deepEqual(answersOf(copied.stdout()), answersOf(asked.stdout()));
  });

  it('gets 5,000 piped answers in the order of the questions, more than a batch holds', async () => {
    const addresses = Array.from({ length: 5_000 }, (_, i) => `198.51.${100 + (i >> 8)}.${i & 255}`);
    const asked = askFrom(Readable.from([`${addresses.join('\n')}\n`]), false, 'resolve', '-', '-o', 'table', ...at);
    assert.equal(await asked.code, 0, asked.stderr());
    const rows = asked.stdout().trimEnd().split('\n').slice(1);
    assert.deepEqual(
      rows.map((row) => row.split(/ +/)[0]),
      addresses,
    );
  });

  it('gets one object by name, in each form', async () => {
    const { statefulPod } = story.demo.wellKnown;
    const name = `${statefulPod.namespace}/${statefulPod.name}`;
    const table = askWith(true, 'get', 'pod', name, ...at);
    assert.equal(await table.code, 0, table.stderr());
    assert.match(table.stdout(), new RegExp(`^POD +${name}$`, 'm'));
    assert.doesNotMatch(table.stdout(), /^LABEL/m);
    const wide = askWith(true, 'get', 'pod', name, '-o', 'wide', ...at);
    assert.equal(await wide.code, 0, wide.stderr());
    assert.match(wide.stdout(), /^LABEL +app.kubernetes.io\/name=cart-redis$/m);
    const yaml = askWith(true, 'get', 'workload', 'sts/cart-redis', '-n', 'shop', '-o', 'yaml', ...at);
    assert.equal(await yaml.code, 0, yaml.stderr());
    assert.match(yaml.stdout(), /^---\napiVersion: apps\/v1\nkind: StatefulSet\n/);
    const missing = askWith(true, 'get', 'pod', 'shop/nothing', ...at);
    assert.equal(await missing.code, 4);
    assert.match(missing.stderr(), /answered NOT_FOUND/);
  });

  it('sees how the service is doing, a line for each resource', async () => {
    const asked = askWith(true, 'status', ...at);
    assert.equal(await asked.code, 0, asked.stderr());
    assert.match(asked.stdout(), /^ready, digger \S+, started \d+s ago$/m);
    assert.match(asked.stdout(), /^pods +yes +watching +\d+ +\d+s$/m);
    const json = askWith(false, 'status', ...at);
    assert.equal(await json.code, 0);
    assert.equal((JSON.parse(json.stdout()) as Record<string, unknown>)['ready'], true);
  });

  it('gets the whole picture as lines of JSON, and is told on stderr how far it has come', async () => {
    const asked = askWith(false, 'watch', '--kind', 'node', '--snapshot-only', ...at);
    assert.equal(await asked.code, 0, asked.stderr());
    const lines = asked.stdout().trimEnd().split('\n');
    const objects = lines.map((line) => JSON.parse(line) as Record<string, Record<string, Record<string, unknown>>>);
    assert.deepEqual(Object.keys(objects[0] ?? {}), ['reset']);
    assert.deepEqual(objects.at(-1), { synced: {} });
    const names = objects.slice(1, -1).map((change) => String(change['upsert']?.['node']?.['name']));
    assert.deepEqual(names.toSorted(), ['control-plane', 'worker-1', 'worker-2', 'worker-3']);
    assert.match(asked.stderr(), /^digger: loading the snapshot\ndigger: synced: 4 entities in \d+\.\d s\n$/);
  });

  it('sees on a terminal the snapshot, then every change of what passes the filter', async () => {
    const watching = askWith(true, 'watch', '--label', 'app=seen', '--namespace', 'shop', ...at);
    await eventually('synced', () =>
      /synced: 0/.test(watching.stderr()) ? done(undefined) : notYet(watching.stderr()),
    );
    story.createPod('unseen', 241);
    story.createPod('seen', 242);
    await eventually('shown', () => (/seen/.test(watching.stdout()) ? done(undefined) : notYet(watching.stdout())));
    story.deletePod('seen');
    await eventually('gone', () => (/removal/.test(watching.stdout()) ? done(undefined) : notYet(watching.stdout())));
    const rows = watching.stdout().replaceAll('\r\u001b[K', '').trimEnd().split('\n');
    assert.deepEqual(
      rows.map((row) => row.split(/ {2,}/).slice(0, 4)),
      [
        ['CHANGE', 'KIND', 'NAMESPACE', 'NAME'],
        ['upsert', 'Pod', 'shop', 'seen'],
        ['removal', 'Pod', 'shop', 'seen'],
      ],
    );
    assert.match(rows[1] ?? '', /10\.244\.1\.242 +node worker-1 +running +Pod shop\/seen$/);
    watching.end();
    assert.equal(await watching.code, 0);
  });
});

describe('a person who asks a service that is away', () => {
  it('is told so with 3, by either command', async () => {
    for (const command of [
      ['resolve', '10.0.0.1'],
      ['watch', '--timeout', '100ms'],
    ]) {
      // Nothing listens on port 1 of a loopback address.
      const asked = askWith(false, ...command, '--address', '127.0.0.1:1');
      assert.equal(await asked.code, 3);
      assert.match(asked.stderr(), /127\.0\.0\.1:1: nothing listens there; start `digger serve` or `digger demo`/);
      assert.equal(asked.stdout(), '');
    }
  });

  it('and watches, goes on when the service is back, and misses nothing', async () => {
    await using story = await Story.begin();
    const first = await story.startDigger();
    await first.untilReady();
    const watching = askWith(false, 'watch', '--kind', 'pod', '--address', first.address, '--timeout', '60s');
    await eventually('synced', () => (/synced/.test(watching.stdout()) ? done(undefined) : notYet(watching.stderr())));
    first.terminate();
    assert.equal((await first.ended).code, 0, first.log);
    await eventually('told', () =>
      /trying again/.test(watching.stderr()) ? done(undefined) : notYet(watching.stderr()),
    );
    story.createPod('meanwhile', 243);
    const second = await story.startDigger('--listen', first.address);
    await second.untilReady();
    await eventually('caught up', () =>
      /"name":"meanwhile"/.test(watching.stdout()) ? done(undefined) : notYet(watching.stderr()),
    );
    assert.match(watching.stderr(), /about to close this stream/);
    watching.end();
    assert.equal(await watching.code, 0);
  });
});

describe('the command itself', () => {
  const digger = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'src/main.ts'), ...args], { encoding: 'utf8', timeout: 30_000 });

  it('prints answers on stdout and ends with the documented code', async () => {
    await using story = await Story.begin();
    const service = await story.startDigger();
    await service.untilReady();
    const resolved = digger('resolve', story.demo.wellKnown.statefulPod.ip, '--address', service.address);
    assert.equal(resolved.status, 0, resolved.stderr);
    assert.equal((JSON.parse(resolved.stdout) as Record<string, unknown>)['outcome'], 'OUTCOME_RESOLVED');
    assert.equal(digger('resolve', '192.0.2.1', '--address', service.address).status, 1);
  });

  it('names every problem and ends with 2, and prints its help', () => {
    const refused = digger('resolve', 'web', '--bogus');
    assert.equal(refused.status, 2);
    assert.deepEqual(refused.stderr.split('\n').length, 3, refused.stderr);
    const help = digger('watch', '--help');
    assert.deepEqual([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, /^Usage: digger watch/);
  });
});
