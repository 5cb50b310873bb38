// What a failed call tells the person who made it.

import { type ServiceError, status } from '@grpc/grpc-js';

/** Throws on when it is something else: that is a bug of ours, not an answer. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof Error && 'code' in thrown && 'details' in thrown) return thrown as ServiceError;
  throw thrown;
}

/** One line: what went wrong, and where. Control characters of a stranger's text do not reach the terminal. */
export function failureText({ code, details }: ServiceError, address: string): string {
  // oxlint-disable-next-line no-control-regex
  const said = details.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  switch (code) {
    case status.UNAVAILABLE:
      return `${address} is not available: ${said}`;
    case status.DEADLINE_EXCEEDED:
      return `${address} did not answer in time: ${said}`;
    default:
      return `${address} answered ${status[code]}: ${said}`;
  }
}
