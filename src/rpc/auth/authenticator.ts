// What decides whether a call may pass, and what it decides by.

import type { Metadata } from '@grpc/grpc-js';

import type { CallError } from '../errors/call-error.ts';

/** Who calls what: what an Authenticator decides by. */
export interface CallIdentity {
  /** `/digger.v1.LookupService/GetPod`. */
  readonly method: string;
  readonly metadata: Metadata;
  /** `address:port`. */
  getPeer(): string;
  /** Who it is, see `limits/caller.ts`; set by the authenticator that lets the call pass. Unset: no one was asked. */
  name?: string | undefined;
  /** The call was let in before and is looked at again: its review does not wait behind those of newcomers. */
  readonly admitted?: boolean;
}

/** Lets a call pass, or says why not: UNAUTHENTICATED or PERMISSION_DENIED. `undefined` at once for "may pass". */
export type Authenticator = (call: CallIdentity) => CallError | undefined | Promise<CallError | undefined>;
