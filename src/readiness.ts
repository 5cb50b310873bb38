// What keeps digger from answering: named tasks that are not done yet, and whether it is draining.
//
// Not ready until the first task has begun and the last one is done; ready from then on until the drain. An outage of
// the API server does not take readiness back, and neither does a task that is named later: a stale answer that says
// how stale it is beats none.

export class Readiness {
  /** Task → what it is waiting for, for people; empty: it is under way. */
  readonly #pending = new Map<string, string>();
  readonly #listeners: (() => void)[] = [];
  #done = false;
  #draining = false;

  /** Adds a task, or says what it is waiting for. Does nothing once everything was done. */
  begin(task: string, detail = ''): void {
    if (!this.#done) this.#pending.set(task, detail);
  }

  /** The task is done; doing it twice is no error. The last one makes ready, for good. */
  complete(task: string): void {
    if (!this.#pending.delete(task) || this.#pending.size > 0) return;
    this.#done = true;
    this.#notify();
  }

  /** From now on nothing new is taken. Not to be taken back. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#notify();
  }

  get isReady(): boolean {
    return this.#done && !this.#draining;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** Names of the tasks that are not done, with what they wait for. */
  get pending(): readonly string[] {
    const tasks = [...this.#pending].map(([task, detail]) => (detail === '' ? task : `${task}: ${detail}`));
    if (!this.#done && tasks.length === 0) tasks.push('start');
    return this.#draining ? ['draining', ...tasks] : tasks;
  }

  /** Called when readiness may have changed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
