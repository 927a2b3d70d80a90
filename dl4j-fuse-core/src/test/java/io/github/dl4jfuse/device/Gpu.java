package io.github.dl4jfuse.device;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/** A test that runs where ND4J's CUDA backend does, and says elsewhere why it is skipped. */
@Tag("gpu")
@ExtendWith(Gpu.Condition.class)
@Retention(RetentionPolicy.RUNTIME)
@interface Gpu {

    final class Condition implements ExecutionCondition {

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return evaluate(Nd4j.getExecutioner().type());
        }

        static ConditionEvaluationResult evaluate(ExecutionerType type) {
            return type == ExecutionerType.CUDA
                    ? ConditionEvaluationResult.enabled("ND4J's CUDA backend runs.")
                    : ConditionEvaluationResult.disabled("ND4J runs on " + type
                            + ": this needs an NVIDIA GPU, its driver, and mvn -Pcuda; see docs/gpu.md.");
        }
    }
}
