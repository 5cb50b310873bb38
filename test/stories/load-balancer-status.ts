// `GetStatusResponse.load_balancer_names` with its defaults.
import type { Message } from '../observers/digger-client.ts';

export function askStatus(status: Message): {
  readonly names: number;
  readonly addresses: number;
  readonly failing: number;
  readonly leftOut: number;
  readonly message: string;
} {
  const told = status['loadBalancerNames'] ?? {};
  const [names, addresses, failing, leftOut] = ['names', 'addresses', 'failing', 'leftOut'].map((field) =>
    Number(told[field] ?? 0),
  ) as [number, number, number, number];
  return { names, addresses, failing, leftOut, message: told['message'] ?? '' };
}
