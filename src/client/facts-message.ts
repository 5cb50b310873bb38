// `digger.v1.AddressFacts` as it comes over the wire.

import type { AddressFacts, BlindMoment } from '../timelines/facts.ts';
import { eachField, fieldNumbers, type FieldReader, messageEnd, readMs } from './message-fields.ts';

/** Facts, with what they say of ranges. */
export interface ToldFacts extends AddressFacts {
  readonly areRangesComplete: Readonly<Record<'ipv4' | 'ipv6', boolean>>;
}

const FACTS = fieldNumbers('digger.v1.AddressFacts', [
  'beganMs',
  'historyMs',
  'blind',
  'blindSinceMs',
  'unknownUntilMs',
  'incompleteUntilMs',
  'reportDelayMs',
  'partial',
  'rangesCompleteIpv4',
  'rangesCompleteIpv6',
]);
const BLIND = fieldNumbers('digger.v1.BlindMoment', ['sinceMs', 'untilMs']);

/** Throws an Error when the message cannot be read. */
export function readFacts(reader: FieldReader, end: number): ToldFacts {
  const facts = {
    beganMs: 0,
    historyMs: 0,
    blind: [] as BlindMoment[],
    blindSinceMs: undefined as number | undefined,
    unknownUntilMs: 0,
    incompleteUntilMs: Number.NEGATIVE_INFINITY,
    reportDelayMs: 0,
    isPartial: false,
    areRangesComplete: { ipv4: false, ipv6: false },
  };
  eachField(reader, end, (field) => {
    switch (field) {
      case FACTS.beganMs:
        facts.beganMs = readMs(reader);
        return true;
      case FACTS.historyMs:
        facts.historyMs = readMs(reader);
        return true;
      case FACTS.blind:
        facts.blind.push(readBlind(reader, messageEnd(reader)));
        return true;
      case FACTS.blindSinceMs:
        facts.blindSinceMs = readMs(reader);
        return true;
      case FACTS.unknownUntilMs:
        facts.unknownUntilMs = readMs(reader);
        return true;
      case FACTS.incompleteUntilMs:
        facts.incompleteUntilMs = readMs(reader);
        return true;
      case FACTS.reportDelayMs:
        facts.reportDelayMs = readMs(reader);
        return true;
      case FACTS.partial:
        facts.isPartial = reader.bool();
        return true;
      case FACTS.rangesCompleteIpv4:
        facts.areRangesComplete.ipv4 = reader.bool();
        return true;
      case FACTS.rangesCompleteIpv6:
        facts.areRangesComplete.ipv6 = reader.bool();
        return true;
      default:
        return false;
    }
  });
  return facts;
}

function readBlind(reader: FieldReader, end: number): BlindMoment {
  let sinceMs = 0;
  let untilMs = 0;
  eachField(reader, end, (field) => {
    switch (field) {
      case BLIND.sinceMs:
        sinceMs = readMs(reader);
        return true;
      case BLIND.untilMs:
        untilMs = readMs(reader);
        return true;
      default:
        return false;
    }
  });
  return { sinceMs, untilMs };
}
