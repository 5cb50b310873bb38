// Why a thread that carries connections ended without being told to by a drain.

export const END_REASONS = ['died', 'silent', 'tls'] as const;

export type EndReason = (typeof END_REASONS)[number];
