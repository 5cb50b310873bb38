// Waits for conditions, with a deadline and with the last state in the failure.

/** How long a wait may take before it is a failure; generous, because two cores carry a whole control plane. */
export const DEFAULT_DEADLINE_MS = 60_000;

/** A probe's answer: done with a value, or not yet, with what was seen instead. */
export type Probe<T> = { readonly done: true; readonly value: T } | { readonly done: false; readonly seen: unknown };

/** The condition holds. */
export function done<T>(value: T): Probe<T> {
  return { done: true, value };
}

/** The condition does not hold yet; `seen` is printed when it never does. */
export function notYet(seen: unknown): Probe<never> {
  return { done: false, seen };
}

/**
 * Asks `probe` again and again until it is done. An error thrown by the probe counts as "not yet", because most
 * conditions are asked of servers that are just starting; it is in the failure if it was the last thing seen.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<Probe<T>> | Probe<T>,
  options: {
    readonly deadlineMs?: number;
    readonly intervalMs?: number;
    readonly giveUp?: () => string | undefined;
  } = {},
): Promise<T> {
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
  const end = performance.now() + deadlineMs;
  let seen: unknown = 'nothing yet';
  do {
    try {
      const answer = await probe();
      if (answer.done) return answer.value;
      seen = answer.seen;
    } catch (error) {
      seen = error instanceof Error ? (error.stack ?? error.message) : error;
    }
    const hopeless = options.giveUp?.();
    if (hopeless !== undefined) throw new Error(`${what}: ${hopeless}`);
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? 50));
  } while (performance.now() < end);
  throw new Error(`${what}: not within ${deadlineMs} ms; last seen: ${show(seen)}`);
}

function show(seen: unknown): string {
  return typeof seen === 'string' ? seen : JSON.stringify(seen, null, 2);
}
