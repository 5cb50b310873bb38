// Where the objects of a reflector are asked for at present: the resource that it was made for, or another that says the
// same because the API server does not know that one (404).
//
// A fallback is taken for good before the first list. A custom kind is looked for again each time: its definition drops
// old versions while we run, and the objects go on in another (projects upgrade so all the time; what was asked for is
// gone without a word).

import type { KubernetesRecord } from '../../model/records.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { collectionPath, type ResourceDescriptor } from '../resources.ts';

/** Where the objects are now; `undefined`: nowhere. Rejects when that cannot be found out. */
export type Elsewhere<R extends KubernetesRecord> = (
  resource: ResourceDescriptor<R>,
) => Promise<ResourceDescriptor<R> | undefined>;

export class ServedAs<R extends KubernetesRecord> {
  resource: ResourceDescriptor<R>;
  readonly #elsewhere: Elsewhere<R> | undefined;
  readonly #log: Logger;

  constructor(resource: ResourceDescriptor<R>, elsewhere: Elsewhere<R> | undefined, log: Logger) {
    this.resource = resource;
    this.#elsewhere = elsewhere;
    this.#log = log;
  }

  /** Takes the other resource that says the same, if there is one. To be asked before the first list only. */
  fallBack(): boolean {
    const { fallback } = this.resource;
    if (fallback === undefined) return false;
    this.#log.warn(
      { instead: fallback.resource },
      'the API server does not serve this resource, watching another instead',
    );
    this.resource = fallback;
    return true;
  }

  /** Whether the objects are found in another place than a moment ago, which is taken. Never rejects. */
  async move(): Promise<boolean> {
    let found: ResourceDescriptor<R> | undefined;
    try {
      found = await this.#elsewhere?.(this.resource);
    } catch (error) {
      // The next 404 asks again, after its wait.
      this.#log.debug({ error: String(error) }, 'it cannot be found out where the objects are now');
    }
    const from = collectionPath(this.resource, undefined);
    const to = found === undefined ? from : collectionPath(found, undefined);
    if (found === undefined || to === from) return false;
    this.#log.info({ from, to }, 'the API server serves the kind in another version now: following it there');
    this.resource = found;
    return true;
  }
}
