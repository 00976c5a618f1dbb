/**
 * One seed for all property tests, so that a run can be repeated and a change is judged by what it changed.
 * `FUZZ_SEED=random` (or a number) tries other cases: that is how new ones are found.
 */
import fc from 'fast-check';

const wanted = process.env['FUZZ_SEED'] ?? '20260101';
if (wanted !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wanted) });
