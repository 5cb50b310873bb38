// A tenth of each attack against a process whose connections another thread carries: the same has to hold.
import { describeAttacks } from './attacks.ts';

describeAttacks('a replica with two serving threads withstands a tenth of', 0.1, 2);
