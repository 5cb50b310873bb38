// Addresses handed out again at once, on a real control plane, for minutes; the short form with the cluster tests.

process.env['ADVERSARY_SECONDS'] ??= '240';
await import('../cluster/adversary.test.ts');
