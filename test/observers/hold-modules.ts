// For a process of a test, loaded before its program (`node --import`): the whole thread stands still when a module is
// loaded whose URL matches HOLD_MODULES, until the file HOLD_UNTIL is there. So what that file stands for has happened
// before the module was loaded, or the process ends with HELD_FOR_EVER.

import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';

/** Exit code: the file was not there in time. */
export const HELD_FOR_EVER = 97;

const DEADLINE_MS = 30_000;
const LOOK_MS = 5;

const { HOLD_MODULES: modules, HOLD_UNTIL: until = '' } = process.env;

if (modules !== undefined) {
  const pattern = new RegExp(modules);
  registerHooks({
    load(url, context, nextLoad) {
      if (pattern.test(url)) hold(url);
      return nextLoad(url, context);
    },
  });
}

function hold(url: string): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (const startMs = performance.now(); !existsSync(until); ) {
    if (performance.now() - startMs > DEADLINE_MS) {
      process.stderr.write(`${url} was loaded too early\n`);
      process.exit(HELD_FOR_EVER);
    }
    Atomics.wait(clock, 0, 0, LOOK_MS);
  }
}
