/**
 * Line searches: backtracking (Armijo) and Moré and Thuente (ACM TOMS 20, 1994), and the interface for others.
 */
package io.github.dl4jfuse.optim.linesearch;
