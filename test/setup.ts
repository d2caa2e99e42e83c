import * as fc from 'fast-check'

/**
 * One seed for all laws, so that a run can be repeated: `SEED=7 npm test` looks elsewhere. A seed that failed becomes a
 * test of its own. fast-check prints it with the counterexample.
 */
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['SEED']) })
