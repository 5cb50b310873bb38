// The short form of test/long/attacks.test.ts: a tenth of each attack, against a process as small as the pod's.
import { describeAttacks } from './attacks.ts';

describeAttacks('a replica withstands a tenth of', 0.1);
