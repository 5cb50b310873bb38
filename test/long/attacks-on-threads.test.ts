// Each attack of test/hostile/attacks.ts at its full strength, against a process whose connections another thread carries.
import { describeAttacks } from '../hostile/attacks.ts';

describeAttacks('a replica with two serving threads withstands', 1, 2);
