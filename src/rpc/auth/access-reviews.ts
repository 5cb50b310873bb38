// What token authentication needs of a cluster: who a token belongs to, and what its owner may call. Implemented
// elsewhere by the TokenReview and SubjectAccessReview APIs.

/** As in TokenReview's `status.user`. */
export interface ReviewedUser {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export type TokenVerdict =
  | { readonly allowed: true; readonly user: ReviewedUser }
  /** Not valid, or not meant for us. */
  | { readonly allowed: false };

export interface AccessVerdict {
  readonly allowed: boolean;
}

/** Both reject when the API server cannot be reached or does not answer the question; messages hold no token. */
export interface AccessReviews {
  /** Whose token it is, if it was issued for `audience`. */
  reviewToken(token: string, audience: string, signal: AbortSignal): Promise<TokenVerdict>;
  /** Whether the user may use the verb on a non-resource URL. */
  reviewAccess(user: ReviewedUser, verb: string, path: string, signal: AbortSignal): Promise<AccessVerdict>;
}
