// Why a sibling handed nothing over, for its log line and for whether it is worth while to ask it again.

/** Why a sibling handed nothing over. */
export class HandOverError extends Error {
  override readonly name = 'HandOverError';
  /** It will not be otherwise in a few seconds. */
  readonly isFinal: boolean;

  constructor(message: string, isFinal: boolean) {
    super(message);
    this.isFinal = isFinal;
  }
}
