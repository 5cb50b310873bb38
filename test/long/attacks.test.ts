// Each attack of test/hostile/attacks.ts at its full strength, against a process as small as the pod's.
import { describeAttacks } from '../hostile/attacks.ts';

describeAttacks('a replica withstands', 1);
