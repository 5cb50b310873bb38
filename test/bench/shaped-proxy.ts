// A TCP relay on loopback that lets through so many bits a second from the server to its clients, all connections
// together: a network of that speed between the API server and digger.
//
// `node shaped-proxy.ts HOST PORT GBITS` prints the port that it listens on. A process of its own, so that its work is
// not counted as that of either end; it is work for the same cores all the same.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

const [host = '127.0.0.1', port, gbits] = process.argv.slice(2);
if (port === undefined || gbits === undefined) throw new Error('usage: node shaped-proxy.ts HOST PORT GBITS');

const BYTES_PER_MS = (Number(gbits) * 1e9) / 8 / 1_000;
/** What a quiet line may send at once, as a switch's buffer would. */
const BURST_MS = 4;

let allowance = BYTES_PER_MS * BURST_MS;
let filledMs = performance.now();
const waiting = new Set<Socket>();

const server = createServer((client) => {
  const upstream = connect(Number(port), host);
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
  client.pipe(upstream);
  upstream.on('data', (piece) => {
    allowance -= piece.length;
    if (!client.write(piece)) {
      upstream.pause();
      client.once('drain', () => resume(upstream));
    } else if (!refill()) {
      upstream.pause();
      waiting.add(upstream);
    }
  });
  upstream.once('end', () => client.end());
  for (const socket of [client, upstream]) {
    socket.setNoDelay(true);
    socket.once('close', () => {
      waiting.delete(upstream);
      client.destroy();
      upstream.destroy();
    });
  }
});

/** False: the line is full. */
function refill(): boolean {
  const nowMs = performance.now();
  allowance = Math.min(BYTES_PER_MS * BURST_MS, allowance + (nowMs - filledMs) * BYTES_PER_MS);
  filledMs = nowMs;
  return allowance > 0;
}

function resume(upstream: Socket): void {
  if (refill()) upstream.resume();
  else waiting.add(upstream);
}

setInterval(() => {
  if (!refill()) return;
  for (const upstream of waiting) upstream.resume();
  waiting.clear();
}, 1);

server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
