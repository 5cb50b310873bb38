// Which encoding a request gets: the first clause of `Accept` that the server can serve.
//
// Served are JSON, and protobuf for what the project's subset of the API's messages covers; both also as
// PartialObjectMetadata. Other clauses (Table, YAML) are passed over as a server without them does, so that a client's
// fallbacks are really used. Nothing acceptable means 406.

import { notAcceptable, StatusError } from './error-status.ts';

export type MediaType = 'application/json' | 'application/vnd.kubernetes.protobuf';

export interface Content {
  readonly mediaType: MediaType;
  /** Metadata only (`as=PartialObjectMetadata` or `…List`). */
  readonly metadataOnly: boolean;
  /** The form asked for is the one for lists. */
  readonly listForm: boolean;
}

/** `protobuf` tells whether the answer exists in protobuf: in full, or as metadata only. */
export function negotiate(
  accept: string | undefined,
  protobuf: { readonly full: boolean; readonly metadata: boolean },
): Content {
  for (const clause of parseAccept(accept ?? '*/*')) {
    const as = clause.parameters.get('as');
    const metadataOnly = as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList';
    if (as !== undefined && !(metadataOnly && clause.parameters.get('g') === 'meta.k8s.io')) {
      continue;
    }
    if (metadataOnly && clause.parameters.get('v') !== 'v1') {
      continue;
    }
    const listForm = as === 'PartialObjectMetadataList';
    switch (clause.type) {
      case 'application/vnd.kubernetes.protobuf':
        if (metadataOnly ? protobuf.metadata : protobuf.full) {
          return { mediaType: 'application/vnd.kubernetes.protobuf', metadataOnly, listForm };
        }
        break;
      case 'application/json':
      case 'application/*':
      case '*/*':
        return { mediaType: 'application/json', metadataOnly, listForm };
      default:
        break;
    }
  }
  throw new StatusError(notAcceptable(protobuf.full));
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Clauses by falling q, in the order written where q is equal (RFC 9110, 12.5.1). */
function parseAccept(accept: string): readonly Clause[] {
  const clauses = accept.split(',').map((text): Clause => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim());
    const parameters = new Map(
      rest.map((part): [string, string] => {
        const [key = '', value = ''] = part.split('=');
        return [key.trim(), value.trim()];
      }),
    );
    const quality = Number(parameters.get('q') ?? '1');
    return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality };
  });
  return clauses.filter((clause) => clause.quality > 0).sort((left, right) => right.quality - left.quality);
}
