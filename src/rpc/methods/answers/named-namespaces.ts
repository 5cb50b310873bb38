// The namespaces of the objects in an answer, each once: the part that what lies in a namespace shares.
//
// They are those of now, whatever moment was asked about. One that was made after its holder had ended is another
// namespace of the same name, and is left out.

import type { CatalogReader } from '../../../catalog/reader.ts';
import type { NamespaceEntity } from '../../../model/entities.ts';
import type { View } from '../../../wire/encoded-entity.ts';
import type { MessageWriter } from '../../../wire/message-writer.ts';

export class NamedNamespaces {
  readonly #catalog: Pick<CatalogReader, 'namespace'>;
  readonly #view: View;
  readonly #found = new Map<string, NamespaceEntity>();

  /** Those of a basic answer are none: it has no labels. */
  constructor(catalog: Pick<CatalogReader, 'namespace'>, view: View) {
    this.#catalog = catalog;
    this.#view = view;
  }

  /** An object of this namespace is in the answer; `endedMs`: what it is there for ended then, ms since the epoch. */
  add(name: string, endedMs: number | undefined): void {
    if (this.#view === 'BASIC' || name === '' || this.#found.has(name)) return;
    const namespace = this.#catalog.namespace(name);
    if (namespace === undefined) return;
    const { creationTimeMs } = namespace;
    if (endedMs !== undefined && creationTimeMs !== undefined && endedMs < creationTimeMs) return;
    this.#found.set(name, namespace);
  }

  write(writer: MessageWriter, tag: number): void {
    for (const namespace of this.#found.values()) writer.uint32(tag).entity(namespace, this.#view);
  }
}
