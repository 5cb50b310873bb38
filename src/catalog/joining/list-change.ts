// One change of lists that many objects share: the pods of a Deployment are in the same services, and all of them come
// into one more. The list that comes of it is made once and shared again, so that 400 services over the same 100 pods
// cost 400 lists, not 40,000.

/** Different lists that one element is put into: more are made anew, which is only slower. */
const MAX_REMEMBERED = 256;

export class ListChange<E> {
  readonly #make: (list: readonly E[], element: E) => readonly E[];
  #element: E | undefined;
  readonly #made = new Map<readonly E[], readonly E[]>();
  /** Elements that were copied, ever: what a change costs. */
  copies = 0;

  /** `make`: a list that differs by the element; it never changes the one that it is given. */
  constructor(make: (list: readonly E[], element: E) => readonly E[]) {
    this.#make = make;
  }

  of(list: readonly E[], element: E): readonly E[] {
    if (element !== this.#element || this.#made.size >= MAX_REMEMBERED) {
      this.#made.clear();
      this.#element = element;
    }
    let made = this.#made.get(list);
    if (made === undefined) {
      made = this.#make(list, element);
      this.#made.set(list, made);
      this.copies += made.length;
    }
    return made;
  }
}
