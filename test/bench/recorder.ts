// Loaded into digger's process before its own code (`--import`) by profile.bench.ts: records where the time goes, how
// long the turns of the event loop are, or what is allocated, until the process gets SIGUSR2, and then writes what was
// found to a file.
//
// In the process, because Node's own `--heap-prof` says what is left at the end, and a start is measured by what is
// thrown away. Collections are noted as V8 tells them.
import { writeFileSync } from 'node:fs';
import { type HeapProfiler, type Profiler, Session } from 'node:inspector';
import { PerformanceObserver } from 'node:perf_hooks';

/** What the file contains. */
export interface Recorded {
  readonly cpu?: Profiler.Profile;
  readonly allocations?: HeapProfiler.SamplingHeapProfile;
  /** The longest ones, longest first. */
  readonly turns?: readonly Turn[];
  /** By kind, as `perf_hooks` numbers them. */
  readonly collections: Readonly<
    Record<string, { readonly count: number; readonly ms: number; readonly maxMs: number }>
  >;
}

/** A turn of the event loop. */
export interface Turn {
  /** Of the thread. */
  readonly cpuMs: number;
  /** Monotonic, µs, as the profile's. */
  readonly startUs: number;
  readonly endUs: number;
}

/** `cpu`, `turns` (with a CPU profile; spins, so that it sees every turn) or `allocations`. */
export const RECORD_WHAT = 'BENCH_RECORD_WHAT';
export const RECORD_FILE = 'BENCH_RECORD_FILE';

/** Between two samples, µs: at a thousand a second the samples themselves are below one percent. */
const INTERVAL_US = 1_000;
/** Bytes between two samples of what is allocated. */
const INTERVAL_BYTES = 16_384;

const LONGEST_TURNS = 12;

const { [RECORD_WHAT]: what, [RECORD_FILE]: file } = process.env;
if (what !== undefined && file !== undefined) record(what, file);

function record(subject: string, path: string): void {
  const collections: Record<string, { count: number; ms: number; maxMs: number }> = {};
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { duration } = entry;
      const kind = String((entry as { readonly detail?: { readonly kind?: number } }).detail?.kind);
      const before = collections[kind] ?? { count: 0, ms: 0, maxMs: 0 };
      collections[kind] = {
        count: before.count + 1,
        ms: before.ms + duration,
        maxMs: Math.max(before.maxMs, duration),
      };
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const session = new Session();
  session.connect();
  const write = (recorded: object): void => writeFileSync(path, JSON.stringify({ ...recorded, collections }));
  if (subject !== 'allocations') {
    const turns = subject === 'turns' ? countTurns() : undefined;
    session.post('Profiler.enable');
    session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
    session.post('Profiler.start');
    process.once('SIGUSR2', () =>
      session.post('Profiler.stop', (_error, { profile }) => write({ cpu: profile, turns: turns?.() })),
    );
  } else {
    session.post('HeapProfiler.enable');
    session.post('HeapProfiler.startSampling', {
      samplingInterval: INTERVAL_BYTES,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    process.once('SIGUSR2', () =>
      session.post('HeapProfiler.stopSampling', (_error, { profile }) => write({ allocations: profile })),
    );
  }
}

/** Gives the longest so far. */
function countTurns(): () => readonly Turn[] {
  let longest: Turn[] = [];
  const cpu = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  const now = (): number => Number(process.hrtime.bigint() / 1_000n);
  let [cpuBefore, startUs] = [cpu(), now()];
  const turn = (): void => {
    const [cpuMs, endUs] = [cpu(), now()];
    const shortest = longest.length < LONGEST_TURNS ? 0 : (longest.at(-1)?.cpuMs ?? 0);
    if (cpuMs - cpuBefore > shortest) {
      longest.push({ cpuMs: cpuMs - cpuBefore, startUs, endUs });
      longest = longest.toSorted((a, b) => b.cpuMs - a.cpuMs).slice(0, LONGEST_TURNS);
    }
    [cpuBefore, startUs] = [cpuMs, endUs];
    setImmediate(turn);
  };
  setImmediate(turn);
  return () => longest;
}
