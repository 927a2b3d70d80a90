package io.github.dl4jfuse.tools.rivals;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.TrainingListener;

public interface EvaluationWeights extends TrainingListener {
    void enter(Model net);

    void leave(Model net);
}
