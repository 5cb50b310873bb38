// What pods count for: as their workload in each service that they are in, and for owners that are known through pods
// alone. A pod that changes costs the difference, however many others count for the same.

import type { ObjectReference } from '../../model/entities.ts';
import type { PodState } from '../entities/pod-state.ts';
import type { ServiceState } from '../entities/service-state.ts';
import type { CustomOwners } from '../owners/custom-owners.ts';
import type { Marks } from './marks.ts';

export class PodCounts {
  readonly #marks: Marks;
  readonly #customOwners: CustomOwners;

  constructor(marks: Marks, customOwners: CustomOwners) {
    this.#marks = marks;
    this.#customOwners = customOwners;
  }

  /** The pod is counted as this workload from now on; a service costs nothing but the difference. */
  countAs(pod: PodState, workload: ObjectReference): void {
    const { countedAs, memberOf } = pod;
    if (countedAs === workload) return;
    this.#customOwners.move(countedAs, workload);
    for (const service of memberOf) {
      this.#countBackend(service, workload, 1);
      if (countedAs !== undefined) this.#countBackend(service, countedAs, -1);
    }
    pod.countedAs = workload;
  }

  /** Its workload may come out the same by another way; what was made of the way before was looked at again. */
  touchWhatItCountsFor({ countedAs, memberOf }: PodState): void {
    for (const service of memberOf) this.#marks.lookedAt.add(service);
    if (countedAs !== undefined) this.#customOwners.touch(countedAs);
  }

  /** The pod became a member of the service (1), or is one no more (-1), or is so in one more or one less way (0). */
  member(service: ServiceState, pod: PodState, by: 1 | 0 | -1): void {
    this.#marks.lookedAt.add(service);
    if (by !== 0 && pod.countedAs !== undefined) this.#countBackend(service, pod.countedAs, by);
  }

  #countBackend(service: ServiceState, workload: ObjectReference, by: 1 | -1): void {
    const differs = service.backends.count(workload, by);
    (differs ? this.#marks.services : this.#marks.lookedAt).add(service);
  }
}
