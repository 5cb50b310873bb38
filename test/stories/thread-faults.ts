// Loaded into digger's process before anything of it (`node --import`), in its main thread and in every other: has a thread
// that carries connections fail as threads do, when the main thread gets SIGUSR2. digger itself knows nothing of this.
//
// Each signal is the next fault of THREAD_FAULTS: `throw` an error that nothing catches, `reject` a promise that nothing
// handles.

import { BroadcastChannel, isMainThread } from 'node:worker_threads';

const channel = new BroadcastChannel('digger-thread-faults');
channel.unref();

if (isMainThread) {
  const faults = (process.env['THREAD_FAULTS'] ?? '').split(',');
  let count = 0;
  process.on('SIGUSR2', () => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of browsers
    channel.postMessage(faults[count % faults.length]);
    count += 1;
  });
} else {
  channel.addEventListener('message', (event) => {
    const { data: fault } = event as unknown as { readonly data: string };
    if (fault === 'reject') {
      void Promise.reject(new Error('a fault of the test: rejected'));
      return;
    }
    setImmediate(() => {
      throw new Error('a fault of the test: thrown');
    });
  });
}
