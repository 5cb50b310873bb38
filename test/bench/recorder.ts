// Loaded into digger's process before its own code (`--import`) by profile.bench.ts: records where the time goes, or
// what is allocated, until the process gets SIGUSR2, and then writes what was found to a file.
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
  /** By kind, as `perf_hooks` numbers them. */
  readonly collections: Readonly<
    Record<string, { readonly count: number; readonly ms: number; readonly maxMs: number }>
  >;
}

/** `cpu` or `allocations`. */
export const RECORD_WHAT = 'BENCH_RECORD_WHAT';
export const RECORD_FILE = 'BENCH_RECORD_FILE';

/** Between two samples, µs: at a thousand a second the samples themselves are below one percent. */
const INTERVAL_US = 1_000;
/** Bytes between two samples of what is allocated. */
const INTERVAL_BYTES = 16_384;

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
  if (subject === 'cpu') {
    session.post('Profiler.enable');
    session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
    session.post('Profiler.start');
    process.once('SIGUSR2', () => session.post('Profiler.stop', (_error, { profile }) => write({ cpu: profile })));
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
