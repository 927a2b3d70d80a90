/**
 * Critical points: what they are up to third order, and steps that leave them (Anandkumar, Ge, <i>Efficient approaches for escaping
 * higher order saddle points in non-convex optimization</i>, COLT 2016; Lee et al., <i>Gradient descent only converges to
 * minimizers</i>, COLT 2016).
 */
package io.github.dl4jfuse.saddle;
