package io.github.dl4jfuse;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;

/** The arrows between packages run down: listener, step, network, updater, mathematics; and so do those between files. */
@AnalyzeClasses(packages = "io.github.dl4jfuse", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule ARROWS_RUN_DOWN = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("listener")
            .definedBy("..listener..")
            .layer("step")
            .definedBy("..step..")
            .layer("jacobian")
            .definedBy("..network.jacobian..")
            .layer("network")
            .definedBy("..dl4jfuse.network")
            .layer("updater")
            .definedBy("..updater..")
            .layer("precondition")
            .definedBy("..precondition..")
            .layer("smoothness")
            .definedBy("..smoothness..")
            .layer("saddle")
            .definedBy("..saddle..")
            .layer("lbfgs")
            .definedBy("..optim.lbfgs..")
            .layer("gaussnewton")
            .definedBy("..optim.gaussnewton..")
            .layer("linesearch")
            .definedBy("..optim.linesearch..")
            .layer("optim")
            .definedBy("..dl4jfuse.optim")
            .layer("linalg")
            .definedBy("..linalg..")
            .layer("acceleration")
            .definedBy("..acceleration..")
            .whereLayer("listener")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("acceleration")
            .mayOnlyBeAccessedByLayers("listener", "updater", "precondition")
            .whereLayer("step")
            .mayOnlyBeAccessedByLayers("listener")
            .whereLayer("jacobian")
            .mayOnlyBeAccessedByLayers("listener", "step")
            .whereLayer("network")
            .mayOnlyBeAccessedByLayers("listener", "step", "jacobian")
            .whereLayer("updater")
            .mayOnlyBeAccessedByLayers("listener", "step", "jacobian", "network")
            .whereLayer("precondition")
            .mayOnlyBeAccessedByLayers("listener", "step", "network", "updater")
            .whereLayer("saddle")
            .mayOnlyBeAccessedByLayers("listener")
            .whereLayer("smoothness")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("lbfgs")
            .mayOnlyBeAccessedByLayers("listener", "step")
            .whereLayer("gaussnewton")
            .mayOnlyBeAccessedByLayers("listener", "step", "jacobian", "network")
            .whereLayer("linalg")
            .mayNotAccessAnyLayer();

    @ArchTest
    static final ArchRule NO_CIRCLE_OF_PACKAGES =
            slices().matching("io.github.dl4jfuse.(**)").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule NO_CIRCLE_OF_FILES = slices().assignedFrom(new Files())
            .should()
            .beFreeOfCycles()
            .ignoreDependency(
                    assignableTo(IUpdater.class),
                    assignableTo(GradientUpdater.class)); // DL4J has a configuration make its updater

    /** A slice is a file: a class with all that is nested in it. */
    private static final class Files implements SliceAssignment {

        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
            JavaClass outer = type;
            while (outer.getEnclosingClass().isPresent()) {
                outer = outer.getEnclosingClass().get();
            }
            return SliceIdentifier.of(outer.getName());
        }

        @Override
        public String getDescription() {
            return "files";
        }
    }

    @ArchTest
    static final ArchRule ONLY_NETWORK_TOUCHES_DL4J_INTERNALS = noClasses()
            .that()
            .resideOutsideOfPackages("..network..", "..acceleration..")
            .should()
            .dependOnClassesThat(resideInAPackage("org.deeplearning4j..")
                    .and(resideInAPackage("org.deeplearning4j.optimize.api").negate())
                    .and(type(Model.class).negate())
                    .and(type(NeuralNetConfiguration.class).negate()))
            .because("what DL4J keeps to itself is touched in one room, and its helpers in another");

    @ArchTest
    static final ArchRule BELOW_THE_LISTENER_NO_DL4J = noClasses()
            .that()
            .resideInAnyPackage(
                    "..updater..", "..precondition..", "..optim..", "..saddle..", "..smoothness..", "..linalg..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.deeplearning4j..");

    @ArchTest
    static final ArchRule SEARCHES_KNOW_NO_ARRAYS = noClasses()
            .that()
            .resideInAPackage("..linesearch..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.nd4j..");

    /** On a GPU, an element of a view brings all the memory that it is part of to the host. */
    @ArchTest
    static final ArchRule NO_STEP_READS_OR_PUTS_SINGLE_ELEMENTS = noClasses()
            .that()
            .resideInAnyPackage("..updater..", "..lbfgs..", "..linalg..", "..step..", "..listener..")
            .and()
            .doNotHaveSimpleName("StateScalars")
            .and()
            .doNotHaveSimpleName("GramSchmidt") // reads memory of its own, and only on a CPU
            .should()
            .callMethodWhere(target(owner(assignableTo(INDArray.class)))
                    .and(target(
                            nameMatching("get(Double|Float|Int|Long|Number)|putScalar|to[A-Z]\\w*(Vector|Matrix)"))))
            .because("what is read in every step of training is read with one transfer, or mirrored in Java");
}
