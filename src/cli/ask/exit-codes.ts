// Exit codes of the commands for people, so that scripts can tell "no object holds it" from "no answer". Read with the
// command line, for its help, so nothing of gRPC is imported here; service-error.ts knows the codes of failed calls.

/** The command did what it is for; SUCCESS says what that is for each. */
export const EXIT_OK = 0;
/** `resolve`, `history`: answered, and no object is known to hold the address. */
export const EXIT_NOT_RESOLVED = 1;
/** The command line is wrong, or the service refused the request as invalid. */
export const EXIT_USAGE = 2;
/** No answer in time, or the service is not ready. */
export const EXIT_UNREACHABLE = 3;
/** The service answered with an error: not allowed, too many subscribers, a bug. */
export const EXIT_FAILED = 4;

/** The commands that ask a running service. */
export type AskingCommand = 'resolve' | 'container' | 'history' | 'get' | 'watch' | 'status';

const SUCCESS: Readonly<Record<AskingCommand, string>> = {
  resolve: 'resolved; with -: every line was answered, whatever the answers',
  container: 'answered: the container, or its pod, is known',
  history: 'some object held the address at some time',
  get: 'the object was found',
  watch: 'ended as asked',
  status: 'ready',
};

/** What the exit codes of a command mean, for its help. */
export function exitCodesOf(command: AskingCommand): readonly (readonly [code: number, meaning: string])[] {
  const answered: Partial<Record<AskingCommand, string>> = {
    resolve: 'answered, and not resolved: ambiguous, unassigned, external, hidden or unknown',
    history: 'answered, and it is known of no object that it held the address',
  };
  const meaning = answered[command];
  return [
    [EXIT_OK, SUCCESS[command]],
    ...(meaning === undefined ? [] : [[EXIT_NOT_RESOLVED, meaning] as const]),
    [EXIT_USAGE, 'the command line is wrong, or the service refused the request as invalid'],
    [EXIT_UNREACHABLE, 'the service was not reached in time, or is not ready'],
    [
      EXIT_FAILED,
      `the service answered with another error${command === 'get' || command === 'container' ? ', such as NOT_FOUND' : ''}`,
    ],
  ];
}
