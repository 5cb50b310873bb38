// Tokens that change under a reflector, with the credentials that digger reads from a kubeconfig: a token is asked for
// by the server, and its file is rotated, emptied and filled again.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../src/kube/clock.ts';
import { createCredentials } from '../../../src/kube/credentials/credentials.ts';
import type { Simulator } from '../../../src/simulator/server/simulator.ts';
import { arrange, following } from '../reflector/following.ts';

test('a rotated token is noticed by the refusal of the old one, without a wait', async (context) => {
  const file = tokenFile(context);
  await following(async ({ simulator, create, untilEqual, reflector }) => {
    file.write('second');
    simulator.faults.tokens = ['second'];
    simulator.endWatches();
    create('d');
    await untilEqual();
    assert.equal(reflector.status().restarts.get('unauthorized'), 1);
  }, file.options('first'));
});

test('an emptied token file matters only when the token is refused, and until there is a new one', async (context) => {
  const file = tokenFile(context);
  await following(async ({ simulator, create, until, untilEqual, reflector }) => {
    file.write('');
    simulator.cutConnections();
    create('d');
    await untilEqual();
    assert.equal(reflector.status().restarts.get('unauthorized'), undefined, 'the last token is kept');

    simulator.faults.tokens = ['second'];
    simulator.endWatches();
    create('e');
    await until(() => reflector.status().restarts.has('credentials'));
    assert.match(reflector.status().message, /no token in .*token: it is empty/);
    file.write('second\n');
    await untilEqual();
    assert.equal(reflector.status().message, '');
  }, file.options('first'));
});

test('a token that no header can carry, found during an outage, is what the status tells when the server is back', async (context) => {
  const file = tokenFile(context);
  await following(async ({ simulator, create, until, untilEqual, reflector }) => {
    simulator.refuseConnections();
    simulator.cutConnections();
    await until(() => reflector.status().restarts.has('unreachable'));
    // The last one is refused, so that only the file counts.
    simulator.faults.tokens = ['second'];
    file.write('two\nlines');
    await simulator.acceptConnections();
    await until(() => reflector.status().restarts.has('credentials'));
    assert.match(reflector.status().message, /no token in .*token: it is not one line of visible ASCII/);
    // Once more, without a server: it is not the network that is told of.
    simulator.refuseConnections();
    const before = reflector.status().restarts.get('credentials') ?? 0;
    await until(() => (reflector.status().restarts.get('credentials') ?? 0) > before);
    assert.match(reflector.status().message, /no token in/);
    await simulator.acceptConnections();
    file.write('second\n');
    create('d');
    await untilEqual();
    assert.equal(reflector.status().message, '');
  }, file.options('first'));
});

/** A kubeconfig with a token file, and the options to follow a server with it. */
function tokenFile(context: { after(end: () => void): void }) {
  const directory = mkdtempSync(join(tmpdir(), 'digger-token-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'token');
  let accepted = '';
  let current: Simulator | undefined;
  return {
    write: (token: string) => writeFileSync(path, token),
    options: (token: string) => {
      accepted = token;
      writeFileSync(path, token);
      return {
        arrange: (simulator: Simulator) => {
          arrange(simulator);
          simulator.faults.tokens = [token];
          current = simulator;
        },
        credentials: (server: string) => {
          const kubeconfig = join(directory, 'config');
          const config = {
            apiVersion: 'v1',
            kind: 'Config',
            clusters: [{ name: 'c', cluster: { server } }],
            users: [{ name: 'u', user: { tokenFile: path } }],
            contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
            'current-context': 'here',
          };
          writeFileSync(kubeconfig, JSON.stringify(config));
          return createCredentials({ kubeconfig, clock: systemClock });
        },
        token: () => current?.faults.tokens?.[0] ?? accepted,
      };
    },
  };
}
