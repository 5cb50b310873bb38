// Everything that can go wrong with an API server, as verbs for tests and demos.
//
// Two sorts: switches, which hold until they are set back, and orders, which are used up. All start in the healthy
// position. The verbs that act on sockets and open watches are on the simulator itself, which owns those.

import { matches, type RequestMatch, type RequestVerb } from './request-log.ts';
import { type Status, statusForCode } from './error-status.ts';

export interface AnswerOrder extends RequestMatch {
  /** HTTP status, and the code of the Status in the body. */
  readonly code: number;
  /** How many matching requests get it. Default: 1. `Infinity` until cancelled. */
  readonly times?: number;
  /** Header `Retry-After`, and `details.retryAfterSeconds`. */
  readonly retryAfterSeconds?: number;
  /** Instead of the usual Status for the code. */
  readonly status?: Status;
  /** Instead of a Status: a body as sent, of this content type. */
  readonly raw?: { readonly contentType: string; readonly body: string };
}

export interface PlacedOrder {
  readonly remaining: number;
  cancel(): void;
}

export class Faults {
  /** false: protobuf is not served, JSON only. */
  protobuf = true;
  /** `refused`: 422, as with the feature gate off. `ignored`: a server that does not know the parameter. */
  streamedLists: 'served' | 'refused' | 'ignored' = 'served';
  /** false: discovery.k8s.io does not exist, as before 1.21; only Endpoints are there. */
  endpointSlices = true;
  /** true: a limit counts at resourceVersion "0" too, as on a server without watch cache. */
  pageAtZero = false;
  /** false: no periodic bookmarks. */
  bookmarks = true;
  /** `false`: the bookmark after a streamed list never comes. `annotated-false`: it says that it is not the end. */
  initialEventsEnd: 'sent' | 'withheld' | 'annotated-false' = 'sent';
  /**
   * Compress big lists and streamed lists for clients that `accept` gzip; or `always` everything, as some proxies do.
   */
  gzip: 'accepted' | 'always' | 'never' = 'accepted';
  /** `Authorization: Bearer …` must carry one of these; undefined: no authentication. Replace it to rotate. */
  tokens: readonly string[] | undefined;

  readonly #orders: { order: AnswerOrder; remaining: number }[] = [];

  /** The next matching requests get this answer instead of their own. Orders are served in the order placed. */
  answer(order: AnswerOrder): PlacedOrder {
    const placed = { order, remaining: order.times ?? 1 };
    this.#orders.push(placed);
    return {
      get remaining() {
        return placed.remaining;
      },
      cancel: () => {
        placed.remaining = 0;
      },
    };
  }

  /** Uses up one order, if there is one for this request. */
  takeAnswer(
    verb: RequestVerb,
    resource: string,
  ): { readonly order: AnswerOrder; readonly status: Status } | undefined {
    const found = this.#orders.find(({ order, remaining }) => remaining > 0 && matches(order, verb, resource));
    if (found === undefined) {
      return undefined;
    }
    found.remaining -= 1;
    const { order } = found;
    const status = order.status ?? statusForCode(order.code, order.retryAfterSeconds);
    if (found.remaining <= 0) {
      this.#orders.splice(this.#orders.indexOf(found), 1);
    }
    return { order, status };
  }
}
