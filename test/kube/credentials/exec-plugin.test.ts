// Exec plugins that hang, babble, lie and are missing: each is named, none stops anything, and no bad answer is kept.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type TestContext, test } from 'node:test';
import { type Clock, systemClock } from '../../../src/kube/clock.ts';
import { createCredentials, CredentialsError } from '../../../src/kube/credentials/credentials.ts';
import { RUN_LIMIT_MS } from '../../../src/kube/credentials/exec-plugin.ts';

const API_VERSION = 'client.authentication.k8s.io/v1';
const never = new AbortController().signal;

/** The system's clock, but a minute for a plugin is over soon. */
const hurried: Clock = {
  ...systemClock,
  setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs === RUN_LIMIT_MS ? 300 : delayMs),
};

function answer(status: object, apiVersion = API_VERSION): string {
  return JSON.stringify({ kind: 'ExecCredential', apiVersion, status });
}

/** A kubeconfig whose user has a plugin; what `script` does can be replaced. */
function arrange(context: TestContext, script: string, exec: object = {}, clock: Clock = systemClock) {
  const directory = mkdtempSync(join(tmpdir(), 'digger-exec-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'kube'));
  const plugin = join(directory, 'plugin.sh');
  const become = (text: string) => {
    writeFileSync(plugin, `#!/bin/sh\necho run >> ${directory}/runs\n${text}\n`);
    chmodSync(plugin, 0o755);
  };
  become(script);
  const config = {
    clusters: [
      {
        name: 'c',
        cluster: {
          server: 'https://127.0.0.1:6443',
          'certificate-authority-data': Buffer.from('ca').toString('base64'),
          extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }],
        },
      },
    ],
    users: [{ name: 'u', user: { exec: { apiVersion: API_VERSION, command: '../plugin.sh', ...exec } } }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'here',
  };
  const kubeconfig = join(directory, 'kube', 'config');
  writeFileSync(kubeconfig, JSON.stringify(config));
  const read = (name: string) => readFileSync(join(directory, name), 'utf8').trim();
  const credentials = createCredentials({ kubeconfig, clock });
  return { credentials, become, read, directory, runs: () => read('runs').split('\n').length };
}

async function untilGone(pid: number): Promise<void> {
  const end = Date.now() + 10_000;
  for (;;) {
    try {
      if (readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')) return;
    } catch {
      return;
    }
    if (Date.now() > end) assert.fail(`process ${pid} still runs`);
    await delay(5);
  }
}

test('12.4 a plugin that hangs is killed with its children after its time, and named', async (context) => {
  const script = 'sleep 600 & echo $! > "$(dirname "$0")/child"; wait';
  const { credentials, read } = arrange(context, script, {}, hurried);
  await assert.rejects(credentials.current(never), (error) => {
    assert.ok(error instanceof CredentialsError);
    assert.match(error.message, /exec plugin .*plugin\.sh did not end within 60 s and was killed/);
    return true;
  });
  await untilGone(Number(read('child')));
});

test('12.4 each wait for a plugin ends with its own signal, and the plugin with the last of them', async (context) => {
  const { credentials, directory, become, runs } = arrange(context, 'echo $$ > "$(dirname "$0")/pid"; sleep 600');
  const [one, two] = [new AbortController(), new AbortController()];
  const waits = [credentials.current(one.signal), credentials.current(two.signal)] as const;
  const outcomes = Promise.allSettled(waits);
  let pid = 0;
  while (pid === 0) {
    await delay(5);
    try {
      pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
    } catch {
      // Not started yet.
    }
  }
  one.abort(new Error('first'));
  await assert.rejects(waits[0], /first/);
  process.kill(pid, 0);
  two.abort(new Error('second'));
  await assert.rejects(waits[1], /second/);
  await untilGone(pid);
  await outcomes;
  become(`echo '${answer({ token: 'good' })}'`);
  assert.equal((await credentials.current(never)).headers['authorization'], 'Bearer good');
  assert.equal(runs(), 2);
});

for (const [title, output, problem] of [
  ['no JSON', 'not json with s3cret', /not a JSON object/],
  ['another kind', '{"kind":"Secret","status":{"token":"s3cret"}}', /kind must be ExecCredential/],
  ['another version', answer({ token: 's3cret' }, 'client.authentication.k8s.io/v1beta1'), /apiVersion must be/],
  ['no status', JSON.stringify({ kind: 'ExecCredential', apiVersion: API_VERSION }), /there is no status/],
  ['nothing in status', answer({}), /must have a token/],
  ['a token that is no text', answer({ token: 7 }), /status\.token must be text/],
  ['a token of two lines', answer({ token: 's3cret\ns3cret' }), /no header can carry/],
  ['a certificate without key', answer({ clientCertificateData: 's3cret' }), /together/],
  ['a time that cannot be read', answer({ token: 's3cret', expirationTimestamp: 'soon' }), /expirationTimestamp/],
  ['a token that has expired', answer({ token: 's3cret', expirationTimestamp: '2020-01-01T00:00:00Z' }), /expired/],
] as const) {
  test(`12.5 an answer with ${title} is refused without a word of it, and the next good one counts`, async (context) => {
    const { credentials, become } = arrange(context, `cat <<'END'\n${output}\nEND`);
    await assert.rejects(credentials.current(never), (error) => {
      assert.match(String(error), problem);
      assert.match(String(error), /plugin\.sh/);
      assert.doesNotMatch(String(error), /s3cret/);
      return true;
    });
    become(`echo '${answer({ token: 'good' })}'`);
    assert.equal((await credentials.current(never)).headers['authorization'], 'Bearer good');
  });
}

test('12.5 output without end is cut off, and a plugin that leaves a child behind is not waited for', async (context) => {
  const endless = arrange(context, 'yes');
  await assert.rejects(endless.credentials.current(never), /printed more than 1048576 bytes/);
  const daemon = arrange(context, `sleep 5 & echo '${answer({ token: 'good' })}'`);
  const startedAtMs = Date.now();
  assert.equal((await daemon.credentials.current(never)).headers['authorization'], 'Bearer good');
  assert.ok(Date.now() - startedAtMs < 4_000);
});

test('12.5 a plugin that fails says why, and one that is missing how to get it', async (context) => {
  const failing = arrange(context, 'echo "log in first" >&2; exit 3');
  await assert.rejects(failing.credentials.current(never), /failed with exit code 3: log in first/);
  const missing = arrange(context, '', { command: './none', installHint: 'get it from the shop' });
  await assert.rejects(
    missing.credentials.current(never),
    /kube\/none cannot be started \(ENOENT\): get it from the shop/,
  );
  const asking = arrange(context, '', { interactiveMode: 'Always' });
  await assert.rejects(asking.credentials.current(never), /wants a terminal/);
});

test('12.5 a plugin is told what client-go tells it, and the cluster where it asks for it', async (context) => {
  for (const provideClusterInfo of [false, true]) {
    const script = `printf '%s' "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"; echo "$ANSWER"`;
    const env = [{ name: 'ANSWER', value: answer({ token: 't' }) }];
    const { credentials, read } = arrange(context, script, { provideClusterInfo, env });
    await credentials.current(never);
    const cluster = {
      server: 'https://127.0.0.1:6443',
      'certificate-authority-data': Buffer.from('ca').toString('base64'),
      config: { audience: 'a' },
    };
    assert.deepEqual(JSON.parse(read('info')), {
      kind: 'ExecCredential',
      apiVersion: API_VERSION,
      spec: { interactive: false, ...(provideClusterInfo ? { cluster } : {}) },
    });
  }
});

test('12.5 a credential is used until it expires', async (context) => {
  let nowMs = Date.parse('2030-01-01T00:00:00Z');
  const expiring = answer({ token: 'x', expirationTimestamp: '2030-01-01T00:10:00Z' });
  const { credentials, become, runs } = arrange(
    context,
    `echo '${expiring}'`,
    {},
    { ...systemClock, now: () => nowMs },
  );
  await credentials.current(never);
  nowMs += 599_000;
  await credentials.current(never);
  assert.equal(runs(), 1);
  nowMs += 1_000;
  become(`echo '${answer({ token: 'y' })}'`);
  assert.equal((await credentials.current(never)).headers['authorization'], 'Bearer y');
});

test('12.12 twelve refusals of one credential run the plugin once', async (context) => {
  const { credentials, runs } = arrange(context, `echo '${answer({ token: 'same' })}'`);
  const identities = await Promise.all(Array.from({ length: 12 }, () => credentials.current(never)));
  for (const identity of identities) {
    credentials.refused(identity);
    await credentials.current(never);
  }
  assert.equal(runs(), 2);
});
