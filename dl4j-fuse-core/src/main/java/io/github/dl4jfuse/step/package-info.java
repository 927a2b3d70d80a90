/**
 * <b>Internal.</b> One step of a training, cut into DL4J's three callbacks: L-BFGS steps on the batch in hand (Jiang et al. 2025), rounds of
 * Gauss-Newton (Chen 2023), trials of a step length (Berahas, Roberts, Roosta 2024), the guard of the parameters. May change in any
 * version; use the listeners.
 */
package io.github.dl4jfuse.step;
