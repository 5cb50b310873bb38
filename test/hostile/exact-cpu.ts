// Loaded into a service (`--import`): has the system account the CPU of its thread whenever a call of the healthy caller
// has ended, see healthy-lookups.ts.
//
// Of a thread that runs Linux tells what it had taken at its last tick, of which there are 250 a second: a lookup of 3 ms
// could count as 7, or as none. When a process asks for its own usage, that is brought up to date.
import { channel } from 'node:diagnostics_channel';
import type { ServerHttp2Stream } from 'node:http2';

/** Whom the healthy caller comes from; attackers come from other addresses. */
const HEALTHY = '127.0.0.1';

function account(message: unknown): void {
  const { stream } = message as { readonly stream: ServerHttp2Stream };
  if (stream.session?.socket.remoteAddress === HEALTHY) process.cpuUsage();
}

channel('http2.server.stream.finish').subscribe(account);
channel('http2.server.stream.close').subscribe(account);
