// Headers and trailers of answers, which come as JSON: they are few, said again and again, and read once each.

export type Headers = Record<string, string | string[]>;

/** 64 of them have some 16 KiB; when they are full all are forgotten. */
const MAX_KEPT = 64;
const MAX_KEPT_LENGTH = 256;

export class AnswerHeaders {
  readonly #kept = new Map<string, Headers>();

  read(json: string): Headers {
    const known = this.#kept.get(json);
    if (known !== undefined) return known;
    const headers = JSON.parse(json) as Headers;
    // Longer ones are errors, which have something of their own.
    if (json.length > MAX_KEPT_LENGTH) return headers;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(json, headers);
    return headers;
  }
}
