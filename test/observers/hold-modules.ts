// For a process of a test, loaded before its program (`node --import`): the whole thread stands still when a module is
// loaded whose URL matches HOLD_MODULES, until the file HOLD_UNTIL is there. So what that file stands for has happened
// before the module was loaded, or the process ends with HELD_FOR_EVER. With NO_PATIENCE_ENDS no delay of
// node:timers/promises ever ends, so that a busy machine cannot decide what happens first.

import { existsSync } from 'node:fs';
import { createRequire, registerHooks, syncBuiltinESMExports } from 'node:module';

/** Exit code: the file was not there in time. */
export const HELD_FOR_EVER = 97;

const DEADLINE_MS = 30_000;
const LOOK_MS = 5;

const { HOLD_MODULES: modules, HOLD_UNTIL: until = '', NO_PATIENCE_ENDS: endless } = process.env;

if (endless !== undefined) {
  const timers = createRequire(import.meta.url)('node:timers/promises') as { setTimeout: () => Promise<never> };
  timers.setTimeout = () => new Promise(() => {});
  syncBuiltinESMExports();
}

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
