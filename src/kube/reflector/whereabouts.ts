// Where a reflector asks for its resource, and where else it may be when the API server does not know it there (404).
//
// A built-in resource may have another that says the same. Definitions of custom resources come, change their versions
// and go while digger runs: a version that is not served any more would be asked for until the next start, and a kind
// that is gone would make all answers stale for good. What is known of them is discovery's to say.

import type { KubernetesRecord } from '../../model/kubernetes/records.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ResourceDescriptor } from '../resources.ts';

/** Where a resource is now. `gone`: nowhere, and so are its objects. `undefined`: that could not be found out. */
export type Relocation<R extends KubernetesRecord> = ResourceDescriptor<R> | 'gone' | undefined;

export class Whereabouts<R extends KubernetesRecord> {
  readonly #relocate: (() => Promise<Relocation<R>>) | undefined;
  readonly #log: Logger;
  #resource: ResourceDescriptor<R>;
  #isGone = false;

  /** `relocate`: unset where the resource is never anywhere else. */
  constructor(resource: ResourceDescriptor<R>, relocate: (() => Promise<Relocation<R>>) | undefined, log: Logger) {
    this.#resource = resource;
    this.#relocate = relocate;
    this.#log = log;
  }

  get resource(): ResourceDescriptor<R> {
    return this.#resource;
  }

  /**
   * To be called after a 404. `fallback`: from now on it is another resource. `moved`: the same under another path.
   * `gone`: there are no such objects. `same`: nothing better is known. A resource that was listed has no fallback.
   */
  async lookAgain(synced: boolean): Promise<'fallback' | 'moved' | 'gone' | 'same'> {
    const { fallback, groupPath } = this.#resource;
    if (fallback !== undefined && !synced) {
      this.#resource = fallback;
      const instead = fallback.resource;
      this.#log.warn({ instead }, 'the API server does not serve this resource, watching another instead');
      return 'fallback';
    }
    const found = await this.#relocate?.();
    if (found === undefined) return 'same';
    if (found === 'gone') {
      if (!this.#isGone) this.#log.info('the API server no longer serves this resource: its objects are gone');
      this.#isGone = true;
      return 'gone';
    }
    this.#isGone = false;
    // Records go on to the same place, whatever the new one is called.
    this.#resource = { ...found, resource: this.#resource.resource };
    if (found.groupPath === groupPath) return 'same';
    this.#log.info({ path: found.groupPath }, 'the API server serves this resource in another version');
    return 'moved';
  }
}
