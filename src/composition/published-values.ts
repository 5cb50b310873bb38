// Which labels and annotations are published, as it is configured: what an operator leaves out, and what is left out
// unless an operator wants it.

import type { Config } from '../options/options.ts';
import { DEFAULT_DENIED_ANNOTATIONS, KeyList, type ValuePolicy } from '../wire/value-policy.ts';

export function toValuePolicy(config: Config): ValuePolicy {
  const listed = (patterns: readonly string[]): KeyList | undefined =>
    patterns.length === 0 ? undefined : new KeyList(patterns);
  return {
    deniedAnnotations: new KeyList([...DEFAULT_DENIED_ANNOTATIONS, ...config.denyAnnotations]),
    allowedAnnotations: listed(config.allowAnnotations),
    deniedLabels: new KeyList(config.denyLabels),
    allowedLabels: listed(config.allowLabels),
    maxValueBytes: config.maxValueBytes,
  };
}
