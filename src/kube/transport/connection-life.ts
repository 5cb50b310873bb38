// The life of one HTTP/2 connection, without its sockets: open → leaving → ended → gone, in this order and never back.
//
//   open     takes requests. Silence is answered by a question to the peer (a ping), silence after that by a cut.
//   leaving  the server said GOAWAY, or we take no more requests here: those under way may end. Questions go on, because
//            a watch may be one of them; and it is bounded, because a watch has an end of its own that was missed.
//   ended    no request is left, and goodbye is said: the peer is to close. One that does not is cut.
//   gone     nothing is left.
//
// `#become` is the only place that changes the state, and it clears the timer of the state before and arms the next
// one.

export interface PingOptions {
  /** Silence before the peer is asked whether it is there. */
  readonly pingAfterMs: number;
  /** Silence after the question before the connection counts as dead. */
  readonly pingTimeoutMs: number;
}

/** The connection as its life sees it. */
export interface LivingConnection {
  /** Bytes that ever arrived, whatever they were. */
  bytesRead(): number;
  /** Asks the peer whether it is there; `answered` may be called late, or never. */
  ask(answered: () => void): void;
  /** No request is under way and none will come: says goodbye. */
  finish(): void;
  /** Ends everything at once, with a reason for the requests under way. */
  cut(reason: Error): void;
  /** Called once. */
  gone(): void;
}

export interface LifeClock {
  /** Monotonic ms. */
  now(): number;
  /** Returns what cancels it. The timer keeps no process alive. */
  setTimer(callback: () => void, delayMs: number): () => void;
  /** Calls back after the bytes that the kernel holds already have been read. */
  afterInput(callback: () => void): void;
}

interface Question {
  readonly askedAtMs: number;
  readonly bytesRead: number;
}

type Life =
  | { readonly state: 'open'; readonly question: Question | undefined }
  | { readonly state: 'leaving'; readonly question: Question | undefined; readonly cutAtMs: number }
  | { readonly state: 'ended'; readonly cutAtMs: number }
  | { readonly state: 'gone' };

/** Longer than any watch lasts (600 s and 30 s of patience), so that only what was forgotten is cut. */
export const LEAVING_LIMIT_MS = 11 * 60_000;
/** For the peer's FIN, a matter of a round trip. */
export const ENDED_LIMIT_MS = 5_000;

export class ConnectionLife {
  readonly #connection: LivingConnection;
  readonly #ping: PingOptions;
  readonly #clock: LifeClock;
  #life: Life;
  #cancelTimer: () => void = () => {};
  #requests = 0;
  #heardAtMs: number;

  constructor(connection: LivingConnection, ping: PingOptions, clock: LifeClock = monotonicClock) {
    this.#connection = connection;
    this.#ping = ping;
    this.#clock = clock;
    this.#heardAtMs = clock.now();
    this.#life = { state: 'open', question: undefined };
    this.#become(this.#life);
  }

  get state(): Life['state'] {
    return this.#life.state;
  }

  /** Requests under way. */
  get requests(): number {
    return this.#requests;
  }

  /** When something arrived last, monotonic ms. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Something arrived just now. */
  heard(): void {
    this.#heardAtMs = this.#clock.now();
  }

  requestBegins(): void {
    this.#requests += 1;
  }

  requestEnds(): void {
    this.#requests -= 1;
    if (this.#life.state === 'leaving') this.#endIfIdle();
  }

  /** No further request: the server said so, or we do. Does nothing the second time. */
  leave(): void {
    if (this.#life.state !== 'open') return;
    const { question } = this.#life;
    this.#become({ state: 'leaving', question, cutAtMs: this.#clock.now() + LEAVING_LIMIT_MS });
    this.#endIfIdle();
  }

  /** The socket is closed. */
  closed(): void {
    if (this.#life.state === 'gone') return;
    this.#become({ state: 'gone' });
    this.#connection.gone();
  }

  #become(life: Life): void {
    this.#cancelTimer();
    this.#life = life;
    const dueAtMs = this.#dueAtMs(life);
    if (dueAtMs === undefined) {
      this.#cancelTimer = () => {};
      return;
    }
    this.#cancelTimer = this.#clock.setTimer(
      () => this.#timeIsUp(life),
      // Never at once: a peer that answers each question with a byte and no answer must not keep us busy.
      Math.max(MIN_TIMER_MS, dueAtMs - this.#clock.now()),
    );
  }

  #dueAtMs(life: Life): number | undefined {
    switch (life.state) {
      case 'open':
        return this.#askedOrSilentAtMs(life.question);
      case 'leaving':
        return Math.min(life.cutAtMs, this.#askedOrSilentAtMs(life.question));
      case 'ended':
        return life.cutAtMs;
      case 'gone':
        return undefined;
      default:
        return life satisfies never;
    }
  }

  #askedOrSilentAtMs(question: Question | undefined): number {
    const { pingAfterMs, pingTimeoutMs } = this.#ping;
    if (question === undefined) return this.#heardAtMs + pingAfterMs;
    // Counted from the last byte, so that one that came between the question and the death puts nothing off; but a
    // question that was late, because the process was suspended, has its time too.
    return Math.max(
      this.#heardAtMs + pingAfterMs + pingTimeoutMs,
      question.askedAtMs + Math.min(pingTimeoutMs, LATE_ANSWER_MS),
    );
  }

  #timeIsUp(life: Life): void {
    switch (life.state) {
      case 'open':
        this.#listen(life);
        return;
      case 'leaving':
        if (this.#clock.now() < life.cutAtMs) this.#listen(life);
        else this.#connection.cut(new CutError('a connection that was told to go still has requests', 'ETIMEDOUT'));
        return;
      case 'ended':
        this.#connection.cut(new CutError('the peer does not close a connection that has ended', 'ETIMEDOUT'));
        return;
      case 'gone':
        return;
      default:
        life satisfies never;
    }
  }

  #listen(life: Extract<Life, { state: 'open' | 'leaving' }>): void {
    const { question } = life;
    if (question !== undefined) {
      // After a long block or a suspended process the answer may be here and not read yet.
      this.#clock.afterInput(() => this.#judge(life, question));
      return;
    }
    const silentMs = this.#clock.now() - this.#heardAtMs;
    if (silentMs < this.#ping.pingAfterMs) this.#become({ ...life });
    else this.#ask(life);
  }

  #ask(life: Extract<Life, { state: 'open' | 'leaving' }>): void {
    const question: Question = { askedAtMs: this.#clock.now(), bytesRead: this.#connection.bytesRead() };
    this.#become({ ...life, question });
    this.#connection.ask(() => {
      this.heard();
      const now = this.#life;
      if ((now.state === 'open' || now.state === 'leaving') && now.question === question) {
        this.#become({ ...now, question: undefined });
      }
    });
  }

  #judge(life: Extract<Life, { state: 'open' | 'leaving' }>, question: Question): void {
    // Answered, or told to go, in the meantime.
    if (this.#life !== life) return;
    if (this.#connection.bytesRead() === question.bytesRead && this.#heardAtMs < question.askedAtMs) {
      this.#connection.cut(
        new CutError(
          `the connection is dead: no answer to a ping within ${this.#ping.pingTimeoutMs} ms`,
          'ERR_PING_TIMEOUT',
        ),
      );
      return;
    }
    // Bytes of a body that is read slowly, say: they came after the question, and no more is known.
    this.#heardAtMs = Math.max(this.#heardAtMs, question.askedAtMs);
    this.#become({ ...life, question: undefined });
  }

  #endIfIdle(): void {
    if (this.#requests > 0 || this.#life.state !== 'leaving') return;
    this.#become({ state: 'ended', cutAtMs: this.#clock.now() + ENDED_LIMIT_MS });
    this.#connection.finish();
  }
}

const MIN_TIMER_MS = 1;
/** For the answer to a question that was asked long after the last byte: a round trip, on a machine that has just woken. */
const LATE_ANSWER_MS = 5_000;

const monotonicClock: LifeClock = {
  now: () => performance.now(),
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
  afterInput: (callback) => void setImmediate(callback),
};

/** Why a connection was cut by us. */
class CutError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}
