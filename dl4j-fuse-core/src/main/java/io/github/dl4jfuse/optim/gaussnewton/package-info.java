/**
 * Gauss-Newton and Levenberg-Marquardt steps in the space of a batch's outputs: geometrically adapted gradient descent (Chen 2023),
 * its rank condition, its known rate, and its stopping time.
 */
package io.github.dl4jfuse.optim.gaussnewton;
