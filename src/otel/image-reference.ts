// An image reference taken apart, as https://github.com/distribution/reference does: `[domain/]path[:tag][@digest]`.
//
// Lenient about what does not matter here (upper case, lengths): what runs was accepted by a kubelet. Text in which no
// path is found is nothing.

export interface ImageReference {
  /** Domain and path, as written: `gcr.io/shop/cart`. */
  readonly name: string;
  /** Empty: none was given. */
  readonly tag: string;
  /** `sha256:…`; empty: none was given. */
  readonly digest: string;
}

/** A domain may have a port, so that a tag is what follows the last colon behind the last slash. */
const REFERENCE =
  /^(?<name>(?:[^/@]+\/)*[^/@:]+)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>[A-Za-z0-9+._-]+:[0-9a-fA-F]{32,}))?$/;

export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const { name, tag = '', digest = '' } = REFERENCE.exec(text)?.groups ?? {};
  return name === undefined ? undefined : { name, tag, digest };
}

/** Kubernetes itself bounds only the object. */
const MAX_LENGTH = 1024;
