package io.github.dl4jfuse.listener;

import org.deeplearning4j.optimize.api.TrainingListener;

/** A listener that has a say in the step itself, so that there can be only one for each network. */
sealed interface Steering extends TrainingListener permits CurvatureListener, GaussNewtonListener, LfsoListener {}
