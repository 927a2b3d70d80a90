package io.github.dl4jfuse.listener;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What every listener of this project counts, whichever method it is of: its {@code statistics()}. Tools that compare methods
 * read it without knowing them. What a listener does not say is 0.
 *
 * <pre>
 *   DL4JFuse.reports(net).forEach(report -&gt; System.out.println(report.details()));
 * </pre>
 */
public interface OptimizerReport {

    /** Returns the evaluations of loss and gradient together, DL4J's own included. */
    default long gradientEvaluations() {
        return 0;
    }

    /** Returns the evaluations of the loss, or of the outputs, alone. */
    default long forwardPasses() {
        return 0;
    }

    /** Returns the Gauss-Newton steps that were made without a gradient of DL4J's; each costs about as much as a few of them. */
    default long gaussNewtonSteps() {
        return 0;
    }

    /** Returns the steps in which the method looked closer, such as at the layers' inputs; such a step takes longer. */
    default long looks() {
        return 0;
    }

    /** Returns the steps left out because of what the batch gave. */
    default long skippedBatches() {
        return 0;
    }

    /** Returns the bytes held now beyond the updater state. */
    default long extraBytes() {
        return 0;
    }

    /** Returns all numbers of the report by name, these and the method's own, in the order in which its record has them. */
    default Map<String, Double> details() {
        Map<String, Double> numbers = new LinkedHashMap<>();
        for (RecordComponent component : getClass().getRecordComponents()) {
            try {
                if (component.getAccessor().invoke(this) instanceof Number number) {
                    numbers.put(component.getName(), number.doubleValue());
                }
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalStateException(getClass().getSimpleName() + " does not tell its numbers.", e);
            }
        }
        return numbers;
    }
}
