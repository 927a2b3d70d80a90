/**
 * Local first-order smoothness oracles and the solver whose step lengths they give (Berahas, Roberts, Roosta, <i>Non-uniform
 * smoothness for gradient descent</i>, 2024).
 */
package io.github.dl4jfuse.smoothness;
