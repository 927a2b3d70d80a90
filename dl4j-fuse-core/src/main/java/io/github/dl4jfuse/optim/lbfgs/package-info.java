/**
 * L-BFGS (Nocedal, Wright, <i>Numerical Optimization</i>, algorithm 7.5), for the solver and for steps in training.
 */
package io.github.dl4jfuse.optim.lbfgs;
